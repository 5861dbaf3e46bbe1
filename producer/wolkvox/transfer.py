"""The body of an answer while it arrives, decompressed piece by piece: the cap holds before the memory is used."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator

import httpx

from producer.errors import NotASnapshot

ENCODINGS = "gzip, deflate"
"""What is asked for, and all that is read."""

_PIECE = 1024 * 1024
"""Bytes decompressed at a time: 64 kB from the network can hold 64 MB."""


async def read_body(response: httpx.Response, *, limit: int) -> bytes:
    """The whole body, decompressed.

    Raises NotASnapshot for an encoding that we don't read or more than `limit` bytes, zlib.error for broken
    compression, and httpx's errors for the connection's.
    """
    inflater = _inflater(response.headers.get("content-encoding", ""))
    if response.is_stream_consumed:  # a fake transport's answer, which httpx has read and decoded already
        _require_within(limit, len(response.content))
        return response.content
    pieces: list[bytes] = []
    size = 0
    async for chunk in response.aiter_raw():
        for piece in inflater.pieces(chunk):
            size += len(piece)
            _require_within(limit, size)
            pieces.append(piece)
            await asyncio.sleep(0)  # a bomb is many pieces without a wait for the network: let others run, and time out
    inflater.finish()
    return b"".join(pieces)


def _require_within(limit: int, size: int) -> None:
    if size > limit:
        raise NotASnapshot("the answer is no report: it is larger than any the API sends")


def _inflater(encoding: str) -> _Plain:
    names = [name for name in encoding.lower().replace(" ", "").split(",") if name not in {"", "identity"}]
    if not names:
        return _Plain()
    if names in (["gzip"], ["x-gzip"]):
        return _Gzip()
    if names == ["deflate"]:
        return _Deflate()
    raise NotASnapshot(f"the answer is no report: its Content-Encoding is not one of {ENCODINGS}, which we ask for")


class _Plain:
    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk

    def finish(self) -> None:
        """Nothing is missing that the connection would not have told."""


class _Gzip(_Plain):
    """RFC 1952: one member after the other, each with its own end."""

    _WINDOW = 16 + zlib.MAX_WBITS

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(self._WINDOW)

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            if self._stream.eof:
                self._stream = zlib.decompressobj(self._WINDOW)
            yield self._stream.decompress(chunk, _PIECE)
            # What exceeded the piece, or what follows the end of this member.
            chunk = self._stream.unconsumed_tail or self._stream.unused_data

    def finish(self) -> None:
        if not self._stream.eof:
            raise zlib.error("incomplete")


class _Deflate(_Gzip):
    """RFC 9110 means zlib's format; some servers send the bare stream instead: the first two bytes tell."""

    def __init__(self) -> None:
        super().__init__()
        self._head: bytes | None = b""

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        if self._head is not None:
            chunk = self._head + chunk
            if len(chunk) < 2:
                self._head = chunk
                return
            wrapped = chunk[0] & 0x0F == zlib.DEFLATED and int.from_bytes(chunk[:2], "big") % 31 == 0
            self._WINDOW = zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS
            self._stream = zlib.decompressobj(self._WINDOW)
            self._head = None
        yield from super().pieces(chunk)
