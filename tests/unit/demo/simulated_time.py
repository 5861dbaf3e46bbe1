"""Time for the tests of the simulator: stands still until a test moves it."""

from __future__ import annotations

from producer.clock import Moment

NOW = 1_768_782_812.0  # 2026-01-18 19:33:32 in Bogota


class MovedClock:
    """A clock that shows what the test says, on both of its faces."""

    def __init__(self, wall: float = NOW) -> None:
        self.wall = wall

    def now(self) -> Moment:
        return Moment(self.wall, self.wall)

    def move(self, seconds: float) -> None:
        self.wall += seconds
