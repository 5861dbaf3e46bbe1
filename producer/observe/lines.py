"""What a log line goes through on its way out: only documented fields, plain values, time and level first."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Final, TextIO

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
