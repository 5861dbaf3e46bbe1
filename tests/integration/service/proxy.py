"""A network between a client and its broker that can be cut or slow: nothing breaks, all arrives, but late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
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
            asyncio.create_task(self._pump(reader, far_writer, delayed=lambda: 0.0)),
            asyncio.create_task(self._pump(far_reader, writer, delayed=lambda: self.delay)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            far_writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, delayed: Callable[[], float]
    ) -> None:
        while sent := await reader.read(65_536):
            await asyncio.sleep(delayed())
            await self._flowing.wait()
            writer.write(sent)
            await writer.drain()
