"""The page's live updates: one rendering a tick for however many readers, none while nobody reads.

A reader that is slow gets the newest frame when it is ready for one, never a queue; the connection drops it if it
stops reading (http_connection.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from producer.observe.logs import get_logger

READERS: Final = 128

_log = get_logger(__name__)


class TooManyReaders(Exception):
    """As many pages are open as may be."""


class Live:
    """Frames of server-sent events made by `render`, one after each `pause`; at most `limit` readers."""

    def __init__(
        self, *, render: Callable[[], bytes], pause: Callable[[], Awaitable[None]], limit: int = READERS
    ) -> None:
        self._render = render
        self._pause = pause
        self._limit = limit
        self._readers = 0
        self._frame = b""
        self._number = 0
        self._next = asyncio.Event()
        self._ticking: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def readers(self) -> int:
        """How many pages read now."""
        return self._readers

    @contextmanager
    def reader(self) -> Iterator[AsyncIterator[bytes]]:
        """The frames, the first at once; raises TooManyReaders."""
        if self._readers >= self._limit:
            raise TooManyReaders
        self._readers += 1
        if self._ticking is None:
            self._draw()
            self._ticking = asyncio.create_task(self._tick(), name="status page")
        try:
            yield self._frames()
        finally:
            self._readers -= 1
            if not self._readers:
                self._stop()

    def close(self) -> None:
        """End every reader's frames, so that their connections can close."""
        self._closed = True
        self._next.set()
        self._stop()

    async def _frames(self) -> AsyncIterator[bytes]:
        seen = 0
        while not self._closed:
            if seen == self._number:
                await self._next.wait()
                continue
            seen = self._number
            yield self._frame

    async def _tick(self) -> None:
        while True:
            await self._pause()
            self._draw()

    def _draw(self) -> None:
        try:
            data = self._render()
        except Exception as error:  # noqa: BLE001 (a page that can't be drawn must not end the next drawing)
            _log.error("status_failed", error=error)
            return
        self._frame = b"data: " + data + b"\n\n"
        self._number += 1
        waiting, self._next = self._next, asyncio.Event()
        waiting.set()

    def _stop(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
