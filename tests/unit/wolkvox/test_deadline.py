"""A call ends when it must, and a cancelled one leaves nothing behind."""

from __future__ import annotations

import asyncio

import pytest

from producer.errors import Retry
from tests.unit.wolkvox.calls import ROW, calling, envelope, failing, fetched
from tests.unit.wolkvox.raw_server import RawServer, Script, answering, http


async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One byte after the other, without end and without a pause that a timeout per read would notice."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0)


async def drip_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nx: ")
    for _ in range(20_000):
        writer.write(b"y")
        await writer.drain()
        await asyncio.sleep(0)
    await reader.read()  # until the client is gone


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()  # until the client is gone


async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(http(b"{", length=100))
    await reader.read()  # until the client is gone


@pytest.mark.parametrize("script", [drip, drip_headers, silence, stall])
async def test_the_deadline_is_for_the_whole_call(script: Script) -> None:
    loop = asyncio.get_running_loop()
    async with answering(script) as server:
        began = loop.time()
        error = await failing(server.url, timeout=0.3)
        assert 0.3 <= loop.time() - began < 3
        await server.closed.wait()
    assert type(error) is Retry
    assert "0.3 s" in str(error)


async def test_redirects_share_one_deadline() -> None:
    async with answering(http(b"", "Location: /again", status="302 Found"), silence) as server:
        assert type(await failing(server.url, timeout=0.3)) is Retry


async def test_a_cancelled_call_closes_its_connection_and_the_next_one_works() -> None:
    asked = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()  # until the client is gone

    async with answering(hang, http(envelope())) as server, calling(server.url) as api:
        call = asyncio.create_task(api.fetch())
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await server.closed.wait()
        assert (await api.fetch()).rows == [ROW]


async def test_many_failed_calls_leave_no_connection_behind() -> None:
    async with answering(stall) as server, calling(server.url, timeout=0.05) as api:
        for _ in range(10):
            with pytest.raises(Retry):
                await api.fetch()
        await server.closed.wait()
        assert server.connections == 10


async def test_a_connection_is_used_again() -> None:
    async with answering(http(envelope())) as server, calling(server.url) as api:
        for _ in range(3):
            await api.fetch()
        assert (len(server.requests), server.connections) == (3, 1)


async def test_a_connection_that_the_server_closed_is_replaced() -> None:
    server: RawServer
    async with answering(http(envelope(), "Connection: close")) as server, calling(server.url) as api:
        for _ in range(3):
            assert len((await api.fetch()).rows) == 1
        assert server.connections == 3


async def test_cookies_are_not_kept() -> None:
    async with answering(http(envelope(), "Set-Cookie: PHPSESSID=1; Path=/")) as server, calling(server.url) as api:
        await api.fetch()
        await api.fetch()
    assert b"cookie" not in server.requests[1].lower()


async def test_the_token_is_asked_for_at_each_call() -> None:
    tokens = iter(["first", "second\n"])
    async with answering(http(envelope())) as server, calling(server.url, token=lambda: next(tokens)) as api:
        await api.fetch()
        await api.fetch()
    assert b"wolkvox-token: first\r\n" in server.requests[0].lower()
    assert b"wolkvox-token: second\r\n" in server.requests[1].lower()


async def test_a_large_answer_is_the_same_answer() -> None:
    rows = [ROW | {"conn_id": str(number)} for number in range(10_000)]
    async with answering(http(envelope(data=rows))) as server:
        assert (await fetched(server.url)).rows == rows
