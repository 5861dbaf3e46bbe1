"""A network between clients and their broker that counts what clients send, and can swallow it from some word on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from tests.integration.service.relay import Relay


class Tap(Relay):
    """Forwards word by word."""

    def __init__(self, *, port: int, target: str) -> None:
        super().__init__(port=port, target=target)
        self._through: int | None = None
        self._listening = asyncio.Event()
        self._listening.set()
        self._changed = asyncio.Condition()
        self.words = 0
        """What clients said, forwarded or not: as a rule one a request."""
        self.accepted = 0
        """Connections so far."""
        self.open = 0
        """Connections that their clients have not closed."""

    def swallow(self, *, after: int) -> None:
        """Let so many more words through; what is said then gets no answer."""
        self._through = self.words + after

    def forward(self) -> None:
        """Let everything through again that is said from now on."""
        self._through = None

    def deafen(self) -> None:
        """From now on listen to nobody: what clients say waits, most of it with them."""
        self._listening.clear()

    async def until(self, fact: Callable[[], bool]) -> None:
        """Return once something is so of what is counted here."""
        async with self._changed:
            await self._changed.wait_for(fact)

    async def swallowing(self) -> None:
        """Return once a word was swallowed."""
        await self.until(lambda: self._through is not None and self.words > self._through)

    async def deserted(self) -> None:
        """Return once every client has closed its connections."""
        await self.until(lambda: self.open == 0)

    def _socket(self) -> socket.socket:
        own = super()._socket()
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that what waits, waits with the client
        return own

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._count(connections=1)
        try:
            await self._connect(reader, writer)
        finally:
            writer.transport.abort()
            await asyncio.sleep(0)  # the loop closes in its next turn what was aborted in this one
            await self._count(connections=-1)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await self._far()
        answering = asyncio.create_task(self._answer(far_reader, writer))
        try:
            await self._listen(reader, far_writer)
        finally:
            far_writer.transport.abort()
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)

    async def _listen(self, reader: asyncio.StreamReader, far_writer: asyncio.StreamWriter) -> None:
        while word := await reader.read(65_536):
            await self._listening.wait()
            await self._count(words=1)
            if self._through is None or self.words <= self._through:
                far_writer.write(word)

    async def _answer(self, far_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while answer := await far_reader.read(65_536):
            writer.write(answer)
        writer.close()

    async def _count(self, *, connections: int = 0, words: int = 0) -> None:
        async with self._changed:
            self.open += connections
            self.accepted += max(connections, 0)
            self.words += words
            self._changed.notify_all()
