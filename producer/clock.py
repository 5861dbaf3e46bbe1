"""Time as an argument: what reads a clock gets one, so that a test or a simulation can move it.

Two clocks are read together. The wall clock names moments (`observed_at`, a gap's `from`); CLOCK_BOOTTIME also counts
while the machine sleeps and never steps back. Elapsed time is the larger of the two: over-estimating only tells a gap
that was none, under-estimating would hide one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

CLOCK_SLACK = 1.0
"""Seconds by which the two clocks may drift apart before their difference means that the wall clock was set."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """One reading of both clocks, in seconds: `wall` since 1970 (UTC), `boot` since some fixed point of the machine."""

    wall: float
    boot: float

    def earlier(self, seconds: float) -> Moment:
        """The moment so long before, on both clocks."""
        return Moment(self.wall - seconds, self.boot - seconds)

    def rfc3339(self) -> str:
        """The wall clock's reading as RFC 3339 in UTC with microseconds: `2026-01-18T20:13:32.000000Z`."""
        return rfc3339(self.wall)


class Clock(Protocol):
    """Anything that reads both clocks."""

    def now(self) -> Moment:
        """The present moment."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> Moment:
        return Moment(time.time(), _boottime())


def elapsed(earlier: Moment, later: Moment) -> float:
    """Seconds from `earlier` to `later` by whichever clock saw more of them go by; negative if both ran backwards."""
    return max(later.wall - earlier.wall, later.boot - earlier.boot)


def rfc3339(wall: float) -> str:
    """Seconds since 1970 as RFC 3339 in UTC, always with microseconds so that text order is time order."""
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_rfc3339(text: str) -> float:
    """Seconds since 1970 of an RFC 3339 text with a zone; raises ValueError for anything else."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"no zone in {text!r}")
    return parsed.timestamp()


def _boottime() -> float:
    # CLOCK_MONOTONIC stands still while a laptop or a VM sleeps; only Linux has the one that does not.
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
