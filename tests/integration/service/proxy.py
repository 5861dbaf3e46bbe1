"""A network between a client and its broker that can be cut or slow: nothing breaks, all arrives, but late."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.integration.service.relay import Relay


class Proxy(Relay):
    """What was sent while the network was cut arrives when it is mended."""

    def __init__(self, *, port: int, target: str) -> None:
        super().__init__(port=port, target=target)
        self.delay = 0.0
        """Seconds that whatever the broker says is under way."""
        self.rate = 0.0
        """Bytes a second that the way to the broker takes, all connections together; 0 is as many as come."""
        self.back = 0.0
        """The same for what the broker says."""
        self.sent = 0
        """Bytes that went to the broker."""
        self._turn, self._turn_back = asyncio.Lock(), asyncio.Lock()
        self._flowing = asyncio.Event()
        self._flowing.set()

    def cut(self) -> None:
        """From now on bytes wait, in both directions; connections are still accepted, as by a kernel's backlog."""
        self._flowing.clear()

    def mend(self) -> None:
        """What waited goes on, late but whole."""
        self._flowing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flowing.wait()
        far_reader, far_writer = await self._far()
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

    async def _late(self, size: int) -> None:
        await asyncio.sleep(self.delay)
        if self.back:
            async with self._turn_back:
                await asyncio.sleep(size / self.back)
