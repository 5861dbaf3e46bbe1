"""The body of an answer while it arrives, decompressed piece by piece: the cap holds before the memory is used."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from producer.errors import NotASnapshot

ENCODINGS = "gzip, deflate"
"""What is asked for, and all that is read."""
_READ = frozenset({"gzip", "x-gzip", "deflate"})

_UNREAD = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz", "aes128gcm", "exi", "pack200-gzip", "sdch"})
"""The other encodings that there are (IANA's list, and one that was). Whatever else the header says is none: a charset,
a media type, `none`."""

_GZIP = b"\x1f\x8b"
_PIECE = 1024 * 1024
"""Bytes decompressed at a time: 64 kB from the network can hold 64 MB."""


@dataclass(frozen=True, slots=True)
class Received:
    """A whole body, decompressed; `odd` if its encoding was not as it should be, and may show to be none."""

    body: bytes
    odd: bool = False


async def read_body(response: httpx.Response, *, limit: int) -> Received:
    """The body of an answer.

    Raises NotASnapshot for an encoding that we don't read or more than `limit` bytes, zlib.error for broken
    compression, and httpx's errors for the connection's.
    """
    stream, odd = _decoder(response.headers.get("content-encoding", ""))
    if response.is_stream_consumed:  # a fake transport's answer, which httpx has read and decoded already
        _require_within(limit, len(response.content))
        return Received(response.content, odd)
    pieces: list[bytes] = []
    size = 0
    async for chunk in response.aiter_raw():
        for piece in stream.pieces(chunk):
            size += len(piece)
            _require_within(limit, size)
            pieces.append(piece)
            await asyncio.sleep(0)  # a bomb is many pieces without a wait for the network: let others run, and time out
        if stream.over:
            break  # whatever else comes is no part of the answer
    stream.finish()
    return Received(b"".join(pieces), odd or stream.odd or stream.over)


def _require_within(limit: int, size: int) -> None:
    if size > limit:
        raise NotASnapshot("the answer is no report: it is larger than any the API sends")


def _decoder(header: str) -> tuple[_Plain, bool]:
    """What reads the body, and whether the header names anything that is no encoding."""
    names = [name.partition(";")[0].strip(' "') for name in header.lower().split(",")]
    named = [name for name in names if name not in {"", "identity"}]
    encodings = [name for name in named if name in _READ | _UNREAD]
    if len(encodings) > 1 or not _READ.issuperset(encodings):
        raise NotASnapshot(f"the answer is no report: its Content-Encoding is not one of {ENCODINGS}, which we ask for")
    return _Compressed(encodings[0]) if encodings else _Plain(), len(named) > len(encodings)


class _Plain:
    odd = False
    """Whether it is packed otherwise than its name says."""
    over = False
    """Whether bytes came behind the end."""

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk

    def finish(self) -> None:
        """Nothing is missing that the connection would not have told."""


class _Compressed(_Plain):
    """Members of gzip one after the other, each with its own end (RFC 1952), or one stream in zlib's format.

    Deflate means zlib's format (RFC 9110); some servers send the bare stream instead: the first two bytes tell.
    """

    def __init__(self, name: str) -> None:
        self._is_deflate = name == "deflate"
        self._head = b""
        self._wbits = 0
        self._stream = zlib.decompressobj()

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        chunk, self._head = self._head + chunk, b""
        held = False
        while (chunk or held) and not self.over:
            if not self._wbits or self._stream.eof:
                if len(chunk) < len(_GZIP):
                    self._head = chunk
                    return
                self._begin(chunk[: len(_GZIP)])
                continue
            yield (piece := self._stream.decompress(chunk, _PIECE))
            # zlib may have read all and hold back what a full piece had no room for, the end with it.
            held = len(piece) == _PIECE
            # What exceeded the piece, or what follows the end of this member.
            chunk = self._stream.unconsumed_tail or self._stream.unused_data

    def finish(self) -> None:
        is_cut = self._head and (not self._wbits or self._goes_on(self._head))
        if is_cut or not self._wbits or not self._stream.eof:
            raise zlib.error("incomplete")
        self.over = self.over or bool(self._head)

    def _begin(self, head: bytes) -> None:
        if self._wbits and not self._goes_on(head):
            self.over = True
            return
        is_gzip, is_zlib = head == _GZIP, head[0] & 0x0F == zlib.DEFLATED and int.from_bytes(head, "big") % 31 == 0
        self.odd = is_gzip if self._is_deflate else is_zlib
        plain = -zlib.MAX_WBITS if self._is_deflate else 16 + zlib.MAX_WBITS
        self._wbits = 16 + zlib.MAX_WBITS if is_gzip else zlib.MAX_WBITS if is_zlib else plain
        self._stream = zlib.decompressobj(self._wbits)

    def _goes_on(self, head: bytes) -> bool:
        """Whether bytes behind an end begin another member."""
        return self._wbits > zlib.MAX_WBITS and _GZIP.startswith(head)
