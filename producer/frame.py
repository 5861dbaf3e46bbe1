"""The frame of a schema registry around a value: a zero byte, the schema's id in four bytes, then the value as it is.

It is Confluent's, which the deserializers of all registries read. JSON never begins with a zero byte, so that the two
forms of a value can stand on one topic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from producer.model import Outgoing, Series, Topic

MAGIC = b"\0"
SIZE = 5

SchemaFrames = Mapping[Topic, bytes]
"""What goes before the values of each topic; a topic that is not in it is sent as it is."""


def frame(schema_id: int) -> bytes:
    """What goes before a value of the schema with this id."""
    return MAGIC + schema_id.to_bytes(4)


def framed(records: Iterable[Outgoing | Series], frames: SchemaFrames) -> Iterator[Outgoing | Series]:
    """The records, with the frame of their topic around each value; a tombstone has none."""
    for one in records:
        before = frames.get(one.topic)
        if before is None:
            yield one
        elif isinstance(one, Series):
            yield one._replace(values=[before + value for value in one.values])
        else:
            yield one if one.value is None else one._replace(value=before + one.value)


def unframed(value: bytes) -> bytes:
    """The value without its frame, if it has one."""
    return value[SIZE:] if value[:1] == MAGIC else value
