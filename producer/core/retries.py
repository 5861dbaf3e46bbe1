"""How long a shard waits after a failure before it is taken again, and when a fence is no accident any more (pure)."""

from __future__ import annotations

from collections import deque
from random import Random

LONGEST_WAIT = 15.0
"""Seconds between tries to take the shard at most: full jitter below a bound that doubles from half a second."""

FENCES, FENCE_MEMORY = 4, 120.0
"""Fenced this often within so many seconds while the group says "ours": somebody else holds the id for good."""
FEW_COMMITS = 2
"""The same if on average no more lie between two fences, however long that takes: each poll is one."""


class Retries:
    """The waits of one shard."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._failures = 0
        self._commits = 0
        self._fences: deque[tuple[float, int]] = deque(maxlen=FENCES)

    def succeeded(self) -> None:
        """A transaction is committed."""
        self._failures = 0
        self._commits += 1

    def failed(self) -> float:
        """Seconds to wait after one more failure."""
        self._failures += 1
        return self._rng.uniform(0.05, min(LONGEST_WAIT, 0.5 * 2.0 ** min(self._failures - 1, 10)))

    def fenced(self, now: float) -> float | None:
        """Seconds since the first of the last FENCES fences if this makes them too many, at `now` of some clock."""
        self._fences.append((now, self._commits))
        first, commits = self._fences[0]
        seldom = now - first > FENCE_MEMORY and self._commits - commits > FEW_COMMITS * (FENCES - 1)
        return None if len(self._fences) < FENCES or seldom else now - first

    def long(self) -> float:
        """Seconds to wait while somebody else holds the id."""
        return self._rng.uniform(LONGEST_WAIT / 2, LONGEST_WAIT)
