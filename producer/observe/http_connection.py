"""One connection to the status server, bounded: how many there are, how long one may ask nothing or read nothing.

uvicorn bounds neither, and its `limit_concurrency` would answer a health probe with 503 because of somebody's open
pages. A connection costs a file descriptor, and polling needs those too.
"""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS: Final = 256
PATIENCE: Final = 15.0
"""Seconds within which a request must be whole, or a stalled reader must read on."""


class BoundedConnection(H11Protocol):
    """Refuses the connection that is one too many; drops one that never asks, or that stops reading its answer."""

    limit = CONNECTIONS
    patience = PATIENCE
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        if len(self.connections) >= self.limit:
            transport.abort()
            return
        super().connection_made(transport)
        self._arm()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._answering():
            self._arm()
        elif not self.flow.write_paused:  # a stalled reader does not read on by asking for more
            self._disarm()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._arm()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._disarm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        if self.transport is not None:  # None: it was refused
            super().connection_lost(exc)

    def _answering(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete

    def _arm(self) -> None:
        # A deadline that runs is kept: one byte now and then must not move it.
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.patience, self._drop)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _drop(self) -> None:
        self._deadline = None
        self.transport.abort()
