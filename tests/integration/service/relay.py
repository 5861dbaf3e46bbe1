"""A network between clients and their broker: for each connection that comes in there is one to the broker."""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from contextlib import suppress
from types import TracebackType
from typing import Self


class Relay(ABC):
    """Forwards `port` to `target` (`host:port`). It always listens: nothing waits in a kernel."""

    def __init__(self, *, port: int, target: str) -> None:
        self._port = port
        self._host, _, to = target.rpartition(":")
        self._to = int(to)
        self._server: asyncio.Server | None = None
        self._ways: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, from its first word to its last; it is cut off when this returns."""

    async def _far(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._host, self._to)

    def _socket(self) -> socket.socket:
        return socket.create_server(("127.0.0.1", self._port))

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, sock=self._socket())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for way in self._ways:
            way.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        way = asyncio.create_task(self._whole(reader, writer))
        self._ways.add(way)
        way.add_done_callback(self._ways.discard)
        way.add_done_callback(lambda _: writer.transport.abort())  # also of one that was cancelled before it began

    async def _whole(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError, asyncio.CancelledError):
            await self._serve(reader, writer)
