"""The day's calls, counted one way by the service and by `check`."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from producer.core.quota import Quota, allows, calls_within, seconds_to_reset, shortfall


def test_a_started_interval_is_a_call() -> None:
    assert calls_within(86_400.0, interval=300.0) == 288
    assert calls_within(86_400.0, interval=7.1) == 12_170  # 12,169.01: the first one is made at once


def test_a_quota_of_one_call_less_than_a_day_takes_is_short() -> None:
    assert shortfall(Quota(12_169, None), 7.1) is not None
    assert shortfall(Quota(12_170, None), 7.1) is None
    assert shortfall(Quota(None, None), 7.1) is None


def test_a_faster_interval_is_allowed_if_its_calls_are_left_and_known_to_be() -> None:
    assert allows(Quota(None, 84), 300.0, until_reset=7 * 3600)
    assert not allows(Quota(None, 83), 300.0, until_reset=7 * 3600)
    assert not allows(Quota(1000, None), 300.0, until_reset=7 * 3600)
    assert not allows(None, 300.0, until_reset=7 * 3600)


def test_midnight_is_the_operations_own_also_when_clocks_change() -> None:
    evening = datetime(2026, 1, 18, 22, 0, tzinfo=UTC).timestamp()
    assert seconds_to_reset(evening, ZoneInfo("America/Bogota")) == 7 * 3600
    # On this day clocks in Madrid go from 02:00 to 03:00.
    spring = datetime(2026, 3, 28, 23, 30, tzinfo=UTC).timestamp()
    assert seconds_to_reset(spring, ZoneInfo("Europe/Madrid")) == 22.5 * 3600
