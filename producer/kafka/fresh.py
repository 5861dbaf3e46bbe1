"""One reading for all who ask at the same time, and never one that is older than the question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")


class Fresh(Generic[T]):
    """What `read` returns, read anew for whoever asks after that began: 64 shards taken at once need two."""

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._lock = asyncio.Lock()
        self._ticks = count()
        self._began = -1
        self._value: T

    async def get(self) -> T:
        """A reading that began after this call; raises what `read` raises."""
        asked = next(self._ticks)
        async with self._lock:
            if self._began < asked:
                began = next(self._ticks)
                self._value = await self._read()
                self._began = began
            return self._value
