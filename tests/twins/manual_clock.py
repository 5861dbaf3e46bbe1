"""A clock that stands still until the test moves it, or runs with a loop's virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from producer.clock import Moment

WALL = 1_768_780_800.0
"""2026-01-19T00:00:00Z, some midnight."""
BOOT = 5_000.0


class ManualClock:
    """Both clocks, moved together or apart; `running` adds seconds of its own (a loop's time)."""

    def __init__(self, *, wall: float = WALL, boot: float = BOOT, running: Callable[[], float] = lambda: 0.0) -> None:
        self._wall = wall
        self._boot = boot
        self._running = running

    @classmethod
    def of_loop(cls) -> ManualClock:
        """One that runs with the present loop's time."""
        return cls(running=asyncio.get_running_loop().time)

    def now(self) -> Moment:
        return Moment(self._wall + self._running(), self._boot + self._running())

    def advance(self, seconds: float) -> Moment:
        """Time goes by on both clocks; the new moment."""
        self._wall += seconds
        self._boot += seconds
        return self.now()

    def set_wall(self, by: float) -> Moment:
        """Somebody sets the wall clock; or the machine was paused and only this clock caught up."""
        self._wall += by
        return self.now()

    def sleep_unseen(self, seconds: float) -> Moment:
        """Time that only CLOCK_BOOTTIME saw: the wall clock was not corrected yet."""
        self._boot += seconds
        return self.now()
