"""Produce requests put together in one go.

aiokafka's own encoding joins a request from the inside out, so that each record is copied again and again, into
memory that the system hands out and takes back each time. Here a request stays in pieces until the last thing is put
before it, its length, and is joined then, once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka.protocol import produce
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.types import Int16, Int32, String

_TEXT = String("utf-8")


def whole(request: Any) -> Any:
    """The request, to be encoded in one go if it is one with records; any other as it is."""
    if isinstance(request, ProduceRequest):
        # Nothing is hung on the request itself: it would be a cycle, and keep 38 MB until the next search for garbage.
        request.__class__ = _Produce
    return request


class Message:
    """What a request is, but for the bytes that say its length: with them before it, it is one."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces

    def __len__(self) -> int:
        return sum(map(len, self._pieces))

    def __radd__(self, length: bytes) -> bytes:
        return b"".join((length, *self._pieces))


class Body:
    """What stands behind a request's header."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces

    def __radd__(self, header: bytes) -> Message:
        return Message((header, *self._pieces))


class _Whole:
    """Of the versions from 3 to 7, those with transactions; their batches are a `Built` each."""

    transactional_id: str | None
    required_acks: int
    timeout: int
    topics: Any

    def encode(self) -> Body:
        pieces: list[bytes] = [
            _TEXT.encode(self.transactional_id),
            Int16.encode(self.required_acks),
            Int32.encode(self.timeout),
            Int32.encode(len(self.topics)),
        ]
        for topic, partitions in self.topics:
            pieces += (_TEXT.encode(topic), Int32.encode(len(partitions)))
            for partition, batch in partitions:
                pieces += (Int32.encode(partition), Int32.encode(batch.size), *batch.pieces)
        return Body(pieces)


def _versions() -> Mapping[type[Any], type[Any]]:
    known = [getattr(produce, f"ProduceRequest_v{version}") for version in range(3, 8)]
    return {kind: type(kind.__name__, (_Whole, kind), {}) for kind in known}


_VERSIONS = _versions()


class _Produce(ProduceRequest):  # type: ignore[misc]  # aiokafka ships no types
    def build(self, kind: type[Any]) -> Any:
        return super().build(_VERSIONS.get(kind, kind))  # older ones know no transactions, and say so
