"""Whether the polls fit into the operation's calls of a day (pure)."""

from __future__ import annotations

from dataclasses import dataclass

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Quota:
    """What the API said of it: `limit` calls a day for all tokens of the operation together, `left` of them today."""

    limit: int | None
    left: int | None


def calls_a_day(interval: float) -> int:
    """Polls in a day, one each `interval` seconds."""
    return round(DAY / interval)


def shortfall(quota: Quota, interval: float) -> str | None:
    """Why the quota can't last, with the arithmetic; None if it does, or if the API does not say."""
    if quota.limit is None or calls_a_day(interval) <= quota.limit:
        return None
    return (
        f"a poll each {interval:g} s is {calls_a_day(interval):,} calls a day, and the operation has {quota.limit:,} "
        f"for all its tokens together: {DAY / max(quota.limit, 1):.0f} s is the least that lasts"
    )


def allows(quota: Quota | None, interval: float, *, until_reset: float) -> bool:
    """Whether there are calls left for a poll each `interval` seconds until the reset; unknown is no."""
    return quota is not None and quota.left is not None and until_reset / interval < quota.left
