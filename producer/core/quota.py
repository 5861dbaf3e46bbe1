"""Whether the polls fit into the operation's calls of a day (pure)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from math import ceil
from zoneinfo import ZoneInfo

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Quota:
    """What the API said of it: `limit` calls a day for all tokens of the operation together, `left` of them today."""

    limit: int | None
    left: int | None

    def after_call(self) -> Quota:
        """What it is once a call of ours was made."""
        return self if self.left is None else replace(self, left=max(0, self.left - 1))


def calls_within(seconds: float, *, interval: float) -> int:
    """Polls in so many seconds, one each `interval`, the first at once."""
    return ceil(seconds / interval)


def seconds_to_reset(wall: float, zone: ZoneInfo) -> float:
    """Seconds from `wall` (Unix) to the operation's next midnight, when the quota is taken to start anew."""
    tomorrow = datetime.fromtimestamp(wall, zone).date() + timedelta(days=1)
    # By timestamps: two times of one zone are subtracted as if no clock were ever changed.
    return datetime.combine(tomorrow, time(), zone).timestamp() - wall


def shortfall(quota: Quota, interval: float) -> str | None:
    """Why the quota can't last, with the arithmetic; None if it does, or if the API does not say."""
    daily = calls_within(DAY, interval=interval)
    if quota.limit is None or daily <= quota.limit:
        return None
    return (
        f"a poll each {interval:g} s is {daily:,} calls a day, and the operation has {quota.limit:,} "
        f"for all its tokens together: {DAY / max(quota.limit, 1):.0f} s is the least that lasts"
    )


def allows(quota: Quota | None, interval: float, *, until_reset: float) -> bool:
    """Whether there are calls left for a poll each `interval` seconds until the reset; unknown is no."""
    return quota is not None and quota.left is not None and calls_within(until_reset, interval=interval) <= quota.left


def spares(quota: Quota, calls: int, *, interval: float, until_reset: float) -> bool:
    """Whether so many calls beside the polls leave enough for these until the reset; unknown is yes, for few calls."""
    return quota.left is None or calls_within(until_reset, interval=interval) <= quota.left - calls
