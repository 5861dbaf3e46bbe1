"""Can the interval last with the daily quota? The arithmetic, told in full (pure)."""

from __future__ import annotations

from math import ceil
from zoneinfo import ZoneInfo

from producer import duration
from producer.commands.check_findings import Finding, failed, ok, warning
from producer.core.quota import DAY, calls_within, seconds_to_reset
from producer.wolkvox.client import TokenInfo

SUBJECT = "quota"


def quota_finding(area: str, info: TokenInfo, *, interval: float, zone: ZoneInfo) -> Finding:
    """Whether a poll each `interval` seconds fits into what the API says of the quota, today and every day."""
    limit, left = info.token_limit, info.calls_left
    daily = calls_within(DAY, interval=interval)
    rate = f"a poll each {duration.text(interval)} is {daily} calls a day"
    if limit is None and left is None:
        hint = "compare the calls with your contract: licences x 1000 a day for all tokens together"
        return warning(area, SUBJECT, f"{rate}; the API tells no limit", hint)
    until = seconds_to_reset(info.received.wall, zone)
    needed = calls_within(until, interval=interval)
    told = f"{rate}{_of(limit)}{_today(info, left)}; {needed} needed until midnight in {zone.key}"
    if left == 0:
        return failed(area, SUBJECT, told, f"nothing can be polled for {_hours(until)}; then see POLL_INTERVAL")
    if limit is not None and daily + _others(info) > limit:
        return warning(area, SUBJECT, told, _longer_interval(limit - _others(info)))
    if left is not None and left < needed:
        ends = duration.text(float(int(left * interval)))
        return warning(area, SUBJECT, told, f"today's calls last for {ends} only: see POLL_INTERVAL, or who else calls")
    return ok(area, SUBJECT, told)


def _others(info: TokenInfo) -> int:
    """Calls that other tokens have made today: they count too, and will tomorrow."""
    return max(0, (info.all_token_today or 0) - (info.token_use_today or 0))


def _of(limit: int | None) -> str:
    return "" if limit is None else f" of {limit}"


def _today(info: TokenInfo, left: int | None) -> str:
    used = "" if info.all_token_today is None else f"; today {info.all_token_today} used by all tokens"
    return used if left is None else f"{used}{',' if used else '; today'} {left} left"


def _longer_interval(room: int) -> str:
    if room <= 0:
        return "other tokens of the operation use up the whole quota: nothing is left for this one"
    # Rounded up to whole minutes, as people set intervals.
    fitting = duration.text(float(ceil(DAY / room / 60) * 60))
    return f"it can't last for a day: POLL_INTERVAL={fitting} would, beside what other tokens use"


def _hours(seconds: float) -> str:
    return duration.text(float(ceil(seconds / 60) * 60))
