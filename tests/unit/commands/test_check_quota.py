"""Interval against quota, with its arithmetic."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from producer.commands.check_findings import Finding, Verdict
from producer.commands.check_quota import quota_finding
from producer.wolkvox.client import TokenInfo
from tests.unit.commands.answers import info

BOGOTA = ZoneInfo("America/Bogota")


def told(token: TokenInfo, *, interval: float = 300.0) -> Finding:
    return quota_finding("source 0042", token, interval=interval, zone=BOGOTA)


def test_five_minutes_last_with_a_thousand_calls_and_the_arithmetic_says_why() -> None:
    finding = told(info())
    assert finding.verdict is Verdict.OK
    assert finding.text == (
        "a poll each 5m is 288 calls a day of 1000; today 100 used by all tokens, 900 left; "
        "84 needed until midnight in America/Bogota"
    )


def test_an_interval_that_needs_more_than_the_quota_names_one_that_would_do() -> None:
    finding = told(info(), interval=60.0)
    assert finding.verdict is Verdict.WARNING
    assert "1440 calls a day of 1000" in finding.text
    assert "POLL_INTERVAL=2m" in finding.hint


def test_what_other_tokens_use_counts_too() -> None:
    finding = told(info(all_token_today=900, available_consumption_options=100))
    assert finding.verdict is Verdict.WARNING
    assert "POLL_INTERVAL=8m" in finding.hint  # 86,400 s for the 200 calls that the others leave: 7.2 minutes


def test_other_tokens_that_use_all_of_it_are_named() -> None:
    finding = told(info(all_token_today=1100, available_consumption_options=0, token_use_today=0))
    assert finding.verdict is Verdict.FAILED
    finding = told(info(all_token_today=1100, available_consumption_options=50, token_use_today=0))
    assert "nothing is left" in finding.hint


def test_calls_that_will_not_reach_midnight_are_a_warning_with_the_time_they_last() -> None:
    finding = told(info(available_consumption_options=12, token_use_today=100, token_limit=None))
    assert finding.verdict is Verdict.WARNING
    assert "last for 1h" in finding.hint


def test_no_call_left_is_a_failure_that_says_for_how_long() -> None:
    finding = told(info(available_consumption_options=0))
    assert finding.verdict is Verdict.FAILED
    assert "nothing can be polled for 7h" in finding.hint


def test_what_is_left_is_computed_where_the_api_does_not_tell_it() -> None:
    assert "900 left" in told(info(available_consumption_options=None)).text


def test_an_api_that_tells_no_limit_is_a_warning_and_no_guess() -> None:
    finding = told(info(token_limit=None, all_token_today=None, available_consumption_options=None))
    assert finding.verdict is Verdict.WARNING
    assert "tells no limit" in finding.text
