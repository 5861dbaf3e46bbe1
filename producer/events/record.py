"""An event on its way to Kafka, and how much room it takes."""

from __future__ import annotations

from producer.model import Outgoing

_BATCH_HEADER = 61
_FRAME = 31
"""Length, attributes, two deltas, two lengths and the header count of one record, each at its longest."""
_HEADER_FRAME = 10


class Record(Outgoing):
    """What goes out for a hit, its change, a dead letter or a gap: never a tombstone."""

    __slots__ = ()
    value: bytes


def size(record: Record) -> int:
    """Bytes of a batch that holds this record alone, uncompressed: never less than what the broker counts."""
    headers = sum(_HEADER_FRAME + len(name) + len(value) for name, value in record.headers)
    return _BATCH_HEADER + _FRAME + len(record.key) + len(record.value) + headers
