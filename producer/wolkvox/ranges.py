"""A stretch of time as the historical reports ask for it: whole seconds of the operation's clock, 31 days at most.

Moments are Unix seconds. Ends are asked for inclusively and pieces share the second between them: whether the API
counts it to the one, the other or both, no row falls between two.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from producer.wolkvox.dates import readings

_DAY = 86_400.0
LONGEST = 30 * _DAY
"""Seconds in one call; the vendor's page says 31 days, and where a clock is changed the texts may lie an hour wider."""
_FORMAT = "%Y%m%d%H%M%S"


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `begin` to `end`, both included, in whole seconds."""

    begin: float
    end: float

    @classmethod
    def around(cls, begin: float, end: float) -> Stretch:
        """The whole seconds that hold it."""
        return cls(math.floor(begin), math.ceil(end))

    def pieces(self) -> Iterator[Stretch]:
        """What one call may ask for at a time, the earliest first."""
        begin = self.begin
        while self.end - begin > LONGEST:
            yield Stretch(begin, begin + LONGEST)
            begin += LONGEST
        yield Stretch(begin, self.end)

    def halves(self) -> tuple[Stretch, Stretch]:
        """Two that share the second in the middle."""
        middle = math.floor((self.begin + self.end) / 2)
        return Stretch(self.begin, middle), Stretch(middle, self.end)

    def texts(self, zone: ZoneInfo) -> tuple[str, str]:
        """`date_ini` and `date_end` that hold every moment of it, whatever the zone's clock did meanwhile.

        In the hour that comes twice a clock shows less at the end than at the beginning: the least and the most that
        the clock was ahead of UTC are taken for the whole.
        """
        days = range(int((self.end - self.begin) / _DAY) + 1)
        offsets = [_offset(moment, zone) for moment in (*(self.begin + day * _DAY for day in days), self.end)]
        ends = ((self.begin, min(offsets)), (self.end, max(offsets)))
        first, last = ((_utc(moment) + offset).strftime(_FORMAT) for moment, offset in ends)
        return first, last

    def date(self, text: str, zone: ZoneInfo) -> str | None:
        """A row's date as the live report writes it, if it is within, or is no date at all; else None.

        A time that the clock showed twice has two readings. Where one of them alone is within, its offset is written
        too, since the reader would else take the one that is nearer to now.
        """
        moments = list(map(datetime.fromisoformat, readings(text, zone)))
        if not moments:
            return text
        inside = [moment for moment in moments if self.begin <= moment.timestamp() <= self.end]
        if not inside:
            return None
        doubtful = len(inside) < len(moments)
        return inside[0].astimezone(zone).strftime(f"{_FORMAT}%z" if doubtful else _FORMAT)


def _offset(moment: float, zone: ZoneInfo) -> timedelta:
    return datetime.fromtimestamp(moment, zone).utcoffset() or timedelta()


def _utc(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)
