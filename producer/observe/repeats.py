"""Lines that say the same over and over: at most so many in an interval, the next one tells how many were left out."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(slots=True)
class _Spell:
    began: float
    said: int = 0
    suppressed: int = 0


class Repeats:
    """Counts lines by key: `limit` pass in each `interval` of seconds, which begins with the first that passes."""

    def __init__(self, *, limit: int = 5, interval: float = 300.0) -> None:
        self._limit = limit
        self._interval = interval
        self._spells: dict[Hashable, _Spell] = {}

    def admit(self, key: Hashable, *, now: float) -> int | None:
        """None to leave this line out, else how many like it were left out before; `now` in monotonic seconds."""
        spell = self._spells.get(key)
        if spell is None or now - spell.began >= self._interval:
            self._spells[key] = _Spell(now, said=1)
            return spell.suppressed if spell else 0
        if spell.said >= self._limit:
            spell.suppressed += 1
            return None
        spell.said += 1
        return 0
