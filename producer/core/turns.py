"""One call at a time for each token: the API refuses simultaneous ones, and two sources may share a token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256


class Turns:
    """Locks by token, of which only a digest is kept; a rotated token simply has another lock."""

    def __init__(self) -> None:
        self._locks: dict[bytes, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def turn(self, token: Callable[[], str]) -> AsyncIterator[None]:
        """Hold the token's turn; a token that can't be read waits for nobody (its poll will say why)."""
        key = _digest(token)
        if key is None:
            yield
            return
        lock, users = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks.pop(key)
            if users > 1:
                self._locks[key] = (lock, users - 1)


def _digest(token: Callable[[], str]) -> bytes | None:
    try:
        return sha256(token().encode()).digest()
    except Exception:  # noqa: BLE001 (whatever is wrong with it, the poll meets it again and names it)
        return None
