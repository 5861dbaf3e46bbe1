"""Durations: `15s`, `5m`, `2h`, `7d`, `1h30m`, `0.5s` or plain seconds; always float seconds inside."""

from __future__ import annotations

import re

# Own lines because nothing on PyPI fits (tried): durationpy 0.11 skips what it can't read between two parts
# ("5m-10m" is 15 minutes, "mm" a month) and refuses plain seconds; pytimeparse2 1.7 reads "1:30" and "60_0" and tells
# errors as None; pydantic's timedelta wants ISO 8601.
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_UNITS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_PARTS = re.compile("".join(rf"(?:({_NUMBER}){unit})?" for unit in _UNITS))
_PLAIN = re.compile(_NUMBER)

LONGEST = 100 * 365 * 86_400.0
"""A century, in seconds: all that is longer is a mistake, and would overflow somewhere as milliseconds."""


def seconds(value: object) -> float:
    """The seconds that a number or a text such as `1h30m` stands for; the parts go from d to s, each once.

    Raises ValueError for anything else, for 0 and for more than LONGEST.
    """
    parsed = _parsed(value)
    if parsed is None:
        raise ValueError(f"{_quoted(value)} is not a duration; write 15s, 5m, 2h, 7d, 1h30m or seconds")
    if not 0 < parsed <= LONGEST:
        raise ValueError(f"{_quoted(value)} is out of range: more than 0 and at most 100 years")
    return parsed


def text(value: float) -> str:
    """Seconds as people write them, `1h30m`; `seconds` reads it back to the same number (to the microsecond)."""
    if value != int(value):
        # One part: a sum of floats would not come back exactly.
        return f"{value:.6f}".rstrip("0") + "s"
    parts, rest = [], int(value)
    for unit, size in _UNITS.items():
        count, rest = divmod(rest, int(size))
        parts.append(f"{count}{unit}" if count else "")
    return "".join(parts) or "0s"


def _parsed(value: object) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    if _PLAIN.fullmatch(value.strip()):
        return float(value)
    parts = _PARTS.fullmatch(value.strip())
    if parts is None or not any(parts.groups()):
        return None
    return sum(float(count) * size for count, size in zip(parts.groups(0), _UNITS.values(), strict=True))


def _quoted(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
