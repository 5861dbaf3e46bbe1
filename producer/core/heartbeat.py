"""Whether a loop still turns: each says how soon it will be heard of again, and /healthz believes it no longer."""

from __future__ import annotations

import asyncio
from typing import Final

GRACE: Final = 60.0
"""Seconds beyond its word that a loop on a busy machine may take: a restart costs what waits for Kafka."""


class Heartbeat:
    """Of one loop; used within the event loop, by whose clock it goes: that stands still while the machine sleeps."""

    def __init__(self) -> None:
        self._due: float | None = None

    def beat(self, *, next_within: float) -> None:
        """It turns, and says so again within so many seconds."""
        self._due = asyncio.get_running_loop().time() + next_within + GRACE

    def rest(self) -> None:
        """It does not turn, on purpose, or waits for another loop that is heard of."""
        self._due = None

    @property
    def overdue(self) -> float:
        """Seconds since it should have been heard of; 0 while all is well."""
        return 0.0 if self._due is None else max(0.0, asyncio.get_running_loop().time() - self._due)
