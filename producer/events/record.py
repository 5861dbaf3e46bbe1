"""A Kafka record before it is sent: key, value, headers, and how much room it takes."""

from __future__ import annotations

from typing import NamedTuple

Header = tuple[str, bytes]

_BATCH_HEADER = 61
_FRAME = 31
"""Length, attributes, two deltas, two lengths and the header count of one record, each at its longest."""
_HEADER_FRAME = 10


class Record(NamedTuple):
    """What a producer sends: `headers` as Kafka clients take them, names with UTF-8 values."""

    key: bytes
    value: bytes
    headers: list[Header]


def size(record: Record) -> int:
    """Bytes of a batch that holds this record alone, uncompressed: never less than what the broker counts."""
    headers = sum(_HEADER_FRAME + len(name) + len(value) for name, value in record.headers)
    return _BATCH_HEADER + _FRAME + len(record.key) + len(record.value) + headers
