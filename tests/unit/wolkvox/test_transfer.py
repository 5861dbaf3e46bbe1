"""How an answer may be packed, and how large it may be."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest

from producer.errors import BadToken, NotASnapshot, Retry
from producer.wolkvox.client import BODY_LIMIT
from producer.wolkvox.transfer import read_body
from tests.unit.wolkvox.calls import ROW, envelope, failing, fetched
from tests.unit.wolkvox.raw_server import answering, http

BODY = envelope()
BARE = zlib.compressobj(wbits=-15)
BARE_DEFLATE = BARE.compress(BODY) + BARE.flush()
MEGABYTE = 1024 * 1024


def chunked(body: bytes, size: int, *headers: str) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    coded = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])
    return "\r\n".join(["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *headers, "", ""]).encode() + coded


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(BODY)),
        ("GZIP", gzip.compress(BODY)),
        ("x-gzip", gzip.compress(BODY)),
        ("gzip", gzip.compress(BODY[:50]) + gzip.compress(BODY[50:])),
        ("deflate", zlib.compress(BODY)),
        ("deflate", BARE_DEFLATE),
        ("identity", BODY),
        ("", BODY),
        ("identity, gzip", gzip.compress(BODY)),
    ],
)
async def test_what_we_ask_for_is_read_in_pieces_of_any_size(encoding: str, body: bytes) -> None:
    header = f"Content-Encoding: {encoding}"
    async with answering(http(body, header), chunked(body, 1, header), chunked(body, 7, header)) as server:
        for _ in server.scripts:
            assert (await fetched(server.url)).rows == [ROW]


PLAIN_NAMES = [
    "UTF-8",
    "utf8",
    "none",
    "binary",
    "8bit",
    "application/json",
    "text/html; charset=utf-8",
    "*",
    "null",
    "x",
]
GZIP_NAMES = ["UTF-8, gzip", "gzip, none", "gzip;q=1.0, utf-8", '"gzip", "utf-8"', "deflate"]
DIRT = {
    "four zero bytes": bytes(4),
    "a zero byte": bytes(1),
    "a block of zeros": bytes(512),
    "a line's end": b"\r\n",
    "text": b"<!-- from the cache -->",
    "what begins like a member and goes on otherwise": b"\x1f\x00\x8b",
}


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        *((name, BODY) for name in PLAIN_NAMES),
        *((name, gzip.compress(BODY)) for name in GZIP_NAMES),
        ("gzip", zlib.compress(BODY)),
    ],
    ids=[*PLAIN_NAMES, *GZIP_NAMES, "gzip that is deflate"],
)
async def test_an_encoding_that_is_none_does_no_harm(encoding: str, body: bytes) -> None:
    header = f"Content-Encoding: {encoding}"
    async with answering(http(body, header), chunked(body, 1, header)) as server:
        for _ in server.scripts:
            snapshot = await fetched(server.url)
            assert (snapshot.rows, snapshot.drift) == ([ROW], {"content_encoding": 1})


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("dirt", DIRT)
async def test_what_stands_behind_whole_compression_is_dirt(encoding: str, dirt: str) -> None:
    packs = {
        "gzip": [gzip.compress(BODY), gzip.compress(BODY[:50]) + gzip.compress(BODY[50:])],
        "deflate": [zlib.compress(BODY), BARE_DEFLATE],
    }
    header = f"Content-Encoding: {encoding}"
    for packed in packs[encoding]:
        body = packed + DIRT[dirt]
        async with answering(http(body, header), chunked(body, 1, header), chunked(body, 7, header)) as server:
            for _ in server.scripts:
                snapshot = await fetched(server.url)
                assert (snapshot.rows, snapshot.drift) == ([ROW], {"content_encoding": 1})


async def test_dirt_without_end_is_not_waited_for() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(BODY) + bytes(64))
        await reader.read()  # until the client is gone

    async with answering(flood) as server:
        assert (await fetched(server.url)).rows == [ROW]
        await server.closed.wait()


@pytest.mark.parametrize("body", [b"", b"OK", b"<html>", gzip.compress(BODY, mtime=0), b"\x1f\x8b"])
async def test_an_encoding_that_is_none_makes_no_snapshot_of_anything_else(body: bytes) -> None:
    async with answering(http(body, "Content-Encoding: UTF-8")) as server:
        assert type(await failing(server.url)) is NotASnapshot


@pytest.mark.parametrize(
    "encoding",
    ["br", "zstd", "compress", "gzip, gzip", "gzip, br", "aes128gcm", "x-compress", "dcb", "exi", "sdch", "utf-8, br"],
)
async def test_another_encoding_is_refused_unread(encoding: str) -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\n\r\n".encode())
        await reader.read()  # until the client is gone

    async with answering(endless) as server:
        error = await failing(server.url)
    assert type(error) is NotASnapshot
    assert "Content-Encoding" in str(error)


async def test_an_error_in_an_unknown_encoding_is_still_that_error() -> None:
    async with answering(http(b"\x0b\x02\x80", "Content-Encoding: br", status="401 Unauthorized")) as server:
        assert type(await failing(server.url)) is BadToken


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(BODY)[:-9],
        gzip.compress(BODY)[:-4],
        gzip.compress(BODY)[:20],
        gzip.compress(BODY)[:-4] + b"\x00\x00\x00\x00",
        gzip.compress(BODY) + gzip.compress(b" ")[:-1],
        gzip.compress(BODY) + b"\x1f\x8b",
        gzip.compress(BODY) + b"\x1f",
        BODY,
        b"",
        b"\x1f",
    ],
    # Not by the bytes: gzip puts the time into them, and two workers must collect the same tests.
    ids=[
        "cut in the data",
        "cut in the checksum",
        "cut early",
        "wrong sum",
        "a second one cut off",
        "a second one cut off at once",
        "a second one cut off at its first byte",
        "plain",
        "none",
        "one byte",
    ],
)
async def test_broken_compression_is_not_a_snapshot(body: bytes) -> None:
    async with answering(http(body, "Content-Encoding: gzip")) as server:
        assert type(await failing(server.url)) is NotASnapshot


@pytest.mark.parametrize("body", [zlib.compress(BODY)[:-5], BARE_DEFLATE[:-2], BODY, b"", b"x"])
async def test_broken_deflate_is_not_a_snapshot(body: bytes) -> None:
    async with answering(http(body, "Content-Encoding: deflate")) as server:
        assert type(await failing(server.url)) is NotASnapshot


@pytest.mark.parametrize("wbits", [31, 15, -15])
async def test_what_was_held_back_for_want_of_room_comes_with_the_next_piece(wbits: int) -> None:
    for size in range(MEGABYTE + 1, MEGABYTE + 300, 13):
        packer = zlib.compressobj(level=9, wbits=wbits)
        packed = packer.compress(b"a" * size) + packer.flush()

        async def at_once(packed: bytes = packed) -> AsyncIterator[bytes]:
            yield packed

        headers = {"content-encoding": "gzip" if wbits == 31 else "deflate"}
        read = await read_body(httpx.Response(200, headers=headers, content=at_once()), limit=BODY_LIMIT)
        assert (len(read.body), read.odd) == (size, False)


async def test_the_cap_counts_what_is_decompressed() -> None:
    limit = len(BODY)
    async with answering(http(BODY), http(gzip.compress(BODY), "Content-Encoding: gzip")) as server:
        for _ in server.scripts:
            assert (await fetched(server.url, limit=limit)).rows == [ROW]
        server.requests.clear()
        for _ in server.scripts:
            assert type(await failing(server.url, limit=limit - 1)) is NotASnapshot


@pytest.mark.parametrize("wbits", [31, 15, -15])
async def test_a_bomb_takes_no_more_memory_than_the_cap(wbits: int) -> None:
    packer = zlib.compressobj(level=9, wbits=wbits)
    bomb = packer.compress(bytes(200 * MEGABYTE)) + packer.flush()
    encoding = f"Content-Encoding: {'gzip' if wbits == 31 else 'deflate'}"
    async with answering(http(bomb, encoding)) as server:
        tracemalloc.start()
        try:
            error = await failing(server.url, limit=8 * MEGABYTE)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert type(error) is NotASnapshot
    assert peak < 14 * MEGABYTE


async def test_a_bomb_lets_others_have_their_turn() -> None:
    async def at_once() -> AsyncIterator[bytes]:
        yield gzip.compress(bytes(64 * MEGABYTE))

    reading = asyncio.create_task(
        read_body(httpx.Response(200, headers={"content-encoding": "gzip"}, content=at_once()), limit=BODY_LIMIT)
    )
    turns = 0
    while not reading.done():
        await asyncio.sleep(0)
        turns += 1
    assert len((await reading).body) == 64 * MEGABYTE
    assert turns >= 64


async def test_an_endless_answer_ends_at_the_cap() -> None:
    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b" " * 65_536)
            await writer.drain()

    async with answering(flood) as server:
        assert type(await failing(server.url, limit=2 * MEGABYTE)) is NotASnapshot
        await server.closed.wait()


async def test_an_error_page_is_not_read_beyond_a_megabyte() -> None:
    async with answering(http(b" " * (2 * MEGABYTE) + BODY, status="500 Oops")) as server:
        assert type(await failing(server.url)) is Retry
