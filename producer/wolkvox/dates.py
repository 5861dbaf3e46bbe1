"""The report's dates as moments: each form that was seen or is likely, in the source's zone or with its own offset.

A row of a full report costs a look into a dictionary: an hour has 3,600 seconds, and a busy one has each several times.
The first time, fourteen digits get the offset of their hour: asking the zone for each second took 60 ms of a start.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

REMEMBERED = 8192
"""Texts of one zone at most."""
_LONGEST = 40
"""Characters of a text that can be a date: `2026-01-18T20:13:32.123456789 -05:00` has 36."""

_TWO, _FOUR, _ONE_OR_TWO = "([0-9]{2})", "([0-9]{4})", "([0-9]{1,2})"
_SECONDS = f"{_TWO}(?:[.,]([0-9]{{1,9}}))?"
_CLOCK = f"[T ]{_ONE_OR_TWO}:{_TWO}(?::{_SECONDS})?"
_OFFSET = "(?: ?(Z|UTC|GMT|[+-][0-9]{2}(?::?[0-5][0-9])?))?"
_DIGITS = re.compile(f"{_FOUR}{_TWO}{_TWO}[T ]?{_TWO}{_TWO}(?:{_SECONDS})?{_OFFSET}", re.IGNORECASE)
_YEAR_FIRST = re.compile(f"{_FOUR}[-/]{_TWO}[-/]{_TWO}{_CLOCK}{_OFFSET}", re.IGNORECASE)
_FOURTEEN = re.compile("[0-9]{10}[0-5][0-9][0-5][0-9]")
_CLOCK_ENDS = len("2026-01-18T20:13:32")
_DAY_FIRST = re.compile(f"{_ONE_OR_TWO}[-/.]{_ONE_OR_TWO}[-/.]{_FOUR}{_CLOCK}{_OFFSET}", re.IGNORECASE)


class Moments(dict[str, str | None]):
    """Each text of one zone as RFC 3339; None for one that names no moment, or two: `occurred_at` decides."""

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__()
        self._zone = zone
        self._offsets: dict[str, str] = {}

    def __missing__(self, text: str) -> str | None:
        if len(text) > _LONGEST:
            return None
        if len(self) >= REMEMBERED:
            self.clear()
            self._offsets.clear()
        moment = self[text] = self._of_its_hour(text) or _only(readings(text, self._zone))
        return moment

    def _of_its_hour(self, text: str) -> str | None:
        """The moment of fourteen digits if the clock does not change in their hour; None is for others to read."""
        if not (_FOURTEEN.fullmatch(text) and (offset := self._offset_of(text[:10]))):
            return None
        return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:]}{offset}"

    def _offset_of(self, hour: str) -> str:
        """As in `-05:00`, of ten digits; empty if the hour has more than one, or is none."""
        if hour not in self._offsets:
            first, last = (_only(readings(f"{hour}{end}", self._zone)) or "" for end in ("0000", "5959"))
            offset = first[_CLOCK_ENDS:]
            self._offsets[hour] = offset if offset == last[_CLOCK_ENDS:] else ""
        return self._offsets[hour]


@lru_cache(maxsize=64)
def moments_of(zone: ZoneInfo) -> Moments:
    """What all sources of a zone share."""
    return Moments(zone)


def occurred_at(date: str, zone: ZoneInfo, observed_at: str) -> str | None:
    """The moment that a date of the report names, RFC 3339; None if it names none.

    Of the two readings of an hour that came twice the one that is nearer to `observed_at`; so too of a time that the
    clock left out, which only a clock of the wrong season can show.
    """
    moment = moments_of(zone)[date]
    if moment is not None:
        return moment
    observed = datetime.fromisoformat(observed_at)
    return min(readings(date, zone), key=lambda one: abs(datetime.fromisoformat(one) - observed), default=None)


def readings(text: str, zone: ZoneInfo) -> tuple[str, ...]:
    """The moments that a date may name, RFC 3339: none for no date, two for an hour that came twice, or never."""
    return () if len(text) > _LONGEST else _readings(text, zone)


@lru_cache(maxsize=REMEMBERED)
def _readings(text: str, zone: ZoneInfo) -> tuple[str, ...]:
    """None for no date, two where the offset before and after a change of the zone's clock both fit."""
    text = text.strip()
    if found := _DIGITS.fullmatch(text) or _YEAR_FIRST.fullmatch(text):
        year, month, day, *clock, fraction, offset = found.groups()
    elif found := _DAY_FIRST.fullmatch(text):
        day, month, year, *clock, fraction, offset = found.groups()
    else:
        return ()
    hour, minute, second = (int(part or 0) for part in clock)
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        where = _offset(offset) if offset else zone
        moments = [
            datetime(int(year), int(month), int(day), hour, minute, second, microsecond, where, fold=fold)
            for fold in (0, 1)
        ]
    except ValueError:
        return ()
    return tuple(dict.fromkeys(moment.isoformat() for moment in moments if _is_of_whole_minutes(moment)))


def _only(found: tuple[str, ...]) -> str | None:
    return found[0] if len(found) == 1 else None


def _offset(text: str) -> tzinfo:
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _is_of_whole_minutes(moment: datetime) -> bool:
    # Before there were time zones an offset had seconds, which RFC 3339 can't write. No call was made then.
    offset = moment.utcoffset()
    return offset is not None and offset % timedelta(minutes=1) == timedelta(0)
