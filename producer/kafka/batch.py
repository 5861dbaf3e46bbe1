"""One batch as bytes (record format 2, "Record Batch" in Kafka's protocol guide), in pieces.

It has the records of one partition, which `layout` wrote; here come its head and its checksum. The pieces stay apart
until the request around them is put together: joining a batch to check it and again to send it copied a full snapshot,
38 MB, twice. CRC-32C is by the package fastcrc, which has the processor do it; aiokafka's own takes 20 ms for as much.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from aiokafka import codec
from fastcrc.crc32 import iscsi as crc32c

CODECS: Mapping[str, tuple[int, Callable[[bytes], bytes] | None]] = {
    "none": (0, None),
    "gzip": (1, codec.gzip_encode),
    "snappy": (2, codec.snappy_encode),
    "lz4": (3, codec.lz4_encode),
    "zstd": (4, codec.zstd_encode),
}
"""Each one's number in Kafka's protocol, and what compresses."""

_BEFORE = struct.Struct(">qiibI")
"""The first offset, bytes from here on, the leader's epoch, the format, the checksum of all behind it."""
_BEHIND = struct.Struct(">hiqqqhii")
"""Attributes, the last offset, the first and the last time, the producer's id, its epoch, the first sequence number,
the number of records."""
HEAD = _BEFORE.size + _BEHIND.size
_NOT_COUNTED = struct.calcsize(">qi")
_UNKNOWN_EPOCH, _FORMAT, _TRANSACTIONAL = -1, 2, 0x10


class Built(NamedTuple):
    """A batch as it is sent: so many bytes, one piece after the other."""

    size: int
    pieces: Sequence[bytes]


class Batch:
    """A batch for `send_batch`: what aiokafka asks of its own `BatchBuilder`, with the bytes written by us."""

    def __init__(self, *, compression: str, timestamp: int) -> None:
        self._codec, self._compress = CODECS[compression]
        self._timestamp = timestamp
        self._producer = (-1, -1, -1)
        self._pieces: list[bytes] = []
        self._built: Built | None = None
        self.size = HEAD
        self.count = 0

    def add(self, records: bytes, count: int) -> None:
        """So many more records, one after the other."""
        self._pieces.append(records)
        self.size += len(records)
        self.count += count

    def record_count(self) -> int:
        """What the next batch's sequence number follows from."""
        return self.count

    def closed(self) -> bool:
        """It takes nothing of aiokafka's."""
        return True

    def close(self) -> None:
        """It is closed."""

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._producer = producer_id, producer_epoch, base_sequence

    def _build(self) -> Built:
        if self._built is None:
            pieces, self._pieces = self._pieces, []
            self._built = self._sealed(*self._compressed(pieces))
        return self._built

    def _compressed(self, pieces: list[bytes]) -> tuple[int, list[bytes]]:
        """The records as they are sent, and the codec: none if it would make them no smaller."""
        if self._compress is not None:
            plain = b"".join(pieces)
            if len(smaller := self._compress(plain)) < len(plain):
                return self._codec, [smaller]
        return 0, pieces

    def _sealed(self, used: int, pieces: list[bytes]) -> Built:
        attributes, last, at = used | _TRANSACTIONAL, self.count - 1, self._timestamp
        behind = _BEHIND.pack(attributes, last, at, at, *self._producer, self.count)
        checksum = crc32c(behind)
        for piece in pieces:
            checksum = crc32c(piece, checksum)
        size = HEAD + sum(map(len, pieces))
        before = _BEFORE.pack(0, size - _NOT_COUNTED, _UNKNOWN_EPOCH, _FORMAT, checksum)
        return Built(size, [before + behind, *pieces])
