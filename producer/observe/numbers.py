"""One source's numbers since the process began, for the status page."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from producer.model import Gap
from producer.observe.status import MINUTES

GAPS_SHOWN = 5


@dataclass(slots=True)
class Numbers:
    """What was counted.

    `minutes` counts new hits by the minute since 1970, `newest` is the latest date of any, in Unix seconds.
    """

    published: int = 0
    changed: int = 0
    duplicate: int = 0
    dead_lettered: int = 0
    unmarked: int = 0
    recovered: int = 0
    unhealed: str | None = None
    """Why the last gap that was looked into waits on; None if none was, or it was healed."""
    gaps: deque[Gap] = field(default_factory=lambda: deque(maxlen=GAPS_SHOWN))
    minutes: dict[int, int] = field(default_factory=dict)
    newest: float = 0.0

    def count_new(self, hits: int, now: float) -> None:
        """So many new hits came now; those of more than MINUTES minutes ago are nobody's interest."""
        minute = int(now // 60)
        self.minutes[minute] = self.minutes.get(minute, 0) + hits
        for old in [old for old in self.minutes if old <= minute - MINUTES]:
            del self.minutes[old]

    def per_minute(self, now: float) -> tuple[int, ...]:
        """New hits in each of the last MINUTES minutes, oldest first."""
        last = int(now // 60)
        return tuple(self.minutes.get(minute, 0) for minute in range(last - MINUTES + 1, last + 1))
