"""What a log line goes through on its way out: only documented fields, plain values, repeats limited, time first."""

from __future__ import annotations

from collections.abc import Hashable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final, TextIO

from structlog import DropEvent

from producer.clock import Clock, rfc3339
from producer.observe.facts import FACTS
from producer.observe.plain import plain, text

Line = MutableMapping[str, Any]
"""A line in the making: `event` and whatever the caller gave."""

_HEAD: Final = ("event", "logger")


class Documented:
    """Leaves out what the fact's row lacks, naming only the field, and makes the rest plain."""

    def __call__(self, _logger: Any, _method: str, line: Line) -> Line:
        fact = FACTS[line["event"]]
        kept = {name: plain(value) for name, value in line.items() if name in _HEAD or fact.carries(name)}
        left_out = [text(name) for name in line if name not in kept]
        return kept | ({"undocumented": left_out} if left_out else {})


class Limited:
    """Drops a limited fact that was told often enough for its server, shard, outcome and logger."""

    def __init__(self, clock: Clock, repeats: Repeats) -> None:
        self._clock = clock
        self._repeats = repeats

    def __call__(self, _logger: Any, _method: str, line: Line) -> Line:
        if not FACTS[line["event"]].limited:
            return line
        key = tuple(str(line.get(name)) for name in ("event", "logger", "server", "shard", "outcome"))
        left_out = self._repeats.admit(key, now=self._clock.now().boot)
        if left_out is None:
            raise DropEvent
        return {**line, "suppressed": left_out} if left_out else line


class Stamped:
    """Puts time, level and event first, where an eye looks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, _logger: Any, method: str, line: Line) -> Line:
        return {"timestamp": rfc3339(self._clock.now().wall), "level": method, "event": line.pop("event"), **line}


class Quiet:
    """A stream that a closed pipe or a full disk can't turn into a failed poll."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> None:
        try:
            self._stream.write(line)
        except (OSError, ValueError):  # ValueError: closed, or a character its encoding lacks
            return

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            return


@dataclass(slots=True)
class _Spell:
    began: float
    said: int = 0
    suppressed: int = 0


class Repeats:
    """Lines that say the same, by key: `limit` pass in each `interval` of seconds, which the first of them begins."""

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
