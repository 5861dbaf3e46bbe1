"""A network between a client and its broker that can be cut or slow: nothing breaks, all arrives, but late."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Self


class Proxy:
    """Forwards `port` to `target` (`host:port`). What was sent while the network was cut arrives when it is mended."""

    def __init__(self, *, port: int, target: str) -> None:
        self._port = port
        self._host, _, to = target.rpartition(":")
        self._to = int(to)
        self.delay = 0.0
        """Seconds that whatever the broker says is under way."""
        self.rate = 0.0
        """Bytes a second that the way to the broker takes, all connections together; 0 is as many as come."""
        self.sent = 0
        """Bytes that went to the broker."""
        self._turn = asyncio.Lock()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server: asyncio.Server | None = None
        self._ways: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """From now on bytes wait, in both directions; connections are still accepted, as by a kernel's backlog."""
        self._flowing.clear()

    def mend(self) -> None:
        """What waited goes on, late but whole."""
        self._flowing.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for way in self._ways:
            way.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._ways.add(task)
        task.add_done_callback(self._ways.discard)
        with suppress(OSError, asyncio.CancelledError):
            await self._connect(reader, writer)
        writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flowing.wait()
        far_reader, far_writer = await asyncio.open_connection(self._host, self._to)
        ways = [
            asyncio.create_task(self._pump(reader, far_writer, way=self._narrow)),
            asyncio.create_task(self._pump(far_reader, writer, way=self._late)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            far_writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, way: Callable[[int], Awaitable[None]]
    ) -> None:
        while sent := await reader.read(65_536):
            await way(len(sent))
            await self._flowing.wait()
            writer.write(sent)
            await writer.drain()

    async def _narrow(self, size: int) -> None:
        self.sent += size
        if self.rate:
            async with self._turn:
                await asyncio.sleep(size / self.rate)

    async def _late(self, _size: int) -> None:
        await asyncio.sleep(self.delay)
