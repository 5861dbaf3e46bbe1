"""Counts of many delays at once: 60,000 calls of a histogram cost 77 ms, and a poll may bring as many."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Final

BOUNDS: Final = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 450.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0)
"""Upper bounds in seconds; POLL_INTERVAL, 5 minutes, is the delay one expects, an hour the report's own end."""


class Delays:
    """How many delays fell below each of BOUNDS, and their sum; all since the process began."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0

    def observe(self, seconds: Mapping[float, int]) -> None:
        """Add so many of each delay; one below nought (an agent's clock ahead of ours) is nought: sums never fall."""
        for delay, count in seconds.items():
            self._counts[bisect_left(BOUNDS, delay)] += count
            self.sum += max(delay, 0.0) * count

    def cumulative(self) -> list[tuple[str, float]]:
        """Per bound, as Prometheus names it, how many delays were at most that long."""
        total = 0
        cumulative = []
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), self._counts, strict=True):
            total += count
            cumulative.append((bound, float(total)))
        return cumulative
