"""When to poll next."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.core.schedule import PROBE, RUSH, SHORTEST, Schedule
from producer.errors import BadToken, NotASnapshot, PendingFull, PollFailed, QuotaSpent, Refused, Retry, SlowDown

INTERVAL, TIMEOUT = 300.0, 60.0
DAY = 86_400.0
SEEDS = st.integers(0, 2**32)


class Extreme(Random):
    """Draws the same end of every range."""

    def __init__(self, end: float) -> None:
        super().__init__(0)
        self._end = end

    def random(self) -> float:
        return self._end


LEAST, MOST = Extreme(0.0), Extreme(1.0)


def a_schedule(*, rng: Random = LEAST, interval: float = INTERVAL, start: float = 1000.0) -> Schedule:
    return Schedule(interval=interval, timeout=TIMEOUT, start=start, rng=rng)


def wait(
    schedule: Schedule,
    error: PollFailed,
    *,
    until_loss: float | None = None,
    until_reset: float = DAY,
    now: float = 1000.0,
) -> float:
    return schedule.after_failure(error, now=now, until_loss=until_loss, until_reset=until_reset) - now


def test_the_next_poll_is_due_an_interval_after_the_start_of_the_last_not_its_end() -> None:
    assert a_schedule().after_success(1042.0) == 1300.0


@given(SEEDS, st.lists(st.floats(0, 290), min_size=1, max_size=50))
def test_a_thousand_polls_do_not_drift(seed: int, durations: list[float]) -> None:
    schedule, due = a_schedule(rng=Random(seed)), 1000.0
    for number, seconds in enumerate(durations, start=1):
        due = schedule.after_success(due + seconds)
        assert 0 <= due - (1000.0 + number * INTERVAL) <= 5.0
    assert schedule.missed() == 0


@given(SEEDS, st.floats(1.0, 3600.0))
def test_jitter_is_at_most_five_seconds_and_a_twentieth_of_the_interval(seed: int, interval: float) -> None:
    schedule = a_schedule(rng=Random(seed), interval=interval)
    late = schedule.after_success(1000.0) - (1000.0 + interval)
    assert -1e-6 <= late <= min(5.0, interval / 20) + 1e-6


def test_slots_that_a_slow_poll_ate_are_counted_and_not_made_up_for() -> None:
    schedule = a_schedule()
    assert schedule.after_success(1000.0 + 2.5 * INTERVAL) == 1000.0 + 3 * INTERVAL
    assert (schedule.missed(), schedule.missed()) == (2, 0)
    assert schedule.after_success(1000.0 + 3.1 * INTERVAL) == 1000.0 + 4 * INTERVAL
    assert schedule.missed() == 0


def test_slots_that_failures_ate_are_not_told_as_overrun() -> None:
    schedule = a_schedule()
    wait(schedule, Retry("no"))
    schedule.after_success(1000.0 + 5.5 * INTERVAL)
    assert schedule.missed() == 0


def test_a_full_answer_is_followed_up_halfway_between_two_slots() -> None:
    schedule = a_schedule()
    assert schedule.after_truncated(1100.0) == 1150.0
    assert schedule.after_success(1160.0) == 1300.0
    assert schedule.missed() == 0


@pytest.mark.parametrize("interval", [120.0, 300.0])
@pytest.mark.parametrize("seconds", [1.0, 3.0, 10.0])
def test_a_report_that_stays_full_is_polled_twice_as_often_and_no_more(seconds: float, interval: float) -> None:
    schedule, now, polls = a_schedule(rng=Random(1), interval=interval), 1000.0, 0
    while now < 1000.0 + DAY:
        now = schedule.after_truncated(now + seconds)
        polls += 1
    assert 1.9 * DAY / interval < polls <= 2 * DAY / interval
    assert schedule.missed() == 0


@pytest.mark.parametrize("error", [Retry("no"), NotASnapshot("no")])
def test_a_passing_failure_is_tried_again_after_a_second_doubling_up_to_the_interval(error: PollFailed) -> None:
    schedule = a_schedule(rng=MOST)
    assert [wait(schedule, error) for _ in range(11)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_no_retry_is_sooner_than_a_fifth_of_a_second() -> None:
    assert wait(a_schedule(rng=LEAST), Retry("no"), now=0.0) == SHORTEST


def test_a_busy_token_is_tried_again_soon() -> None:
    schedule = a_schedule(rng=MOST)
    assert [wait(schedule, SlowDown("no")) for _ in range(6)] == [2, 4, 8, 16, 30, 30]


@given(
    SEEDS,
    st.lists(st.sampled_from([Retry("no"), NotASnapshot("no"), SlowDown("no"), Retry("no", after=1e9)]), min_size=1),
    st.floats(0.001, 10_000),
)
def test_a_retry_never_waits_past_the_time_at_which_hits_would_be_lost(
    seed: int, errors: list[PollFailed], until_loss: float
) -> None:
    schedule = a_schedule(rng=Random(seed))
    for error in errors:
        waited = wait(schedule, error, until_loss=until_loss)
        assert waited <= max(SHORTEST, until_loss / 5, until_loss - TIMEOUT, min(until_loss, RUSH)) + 1e-6


def test_the_minute_before_hits_are_lost_brings_no_rush_of_calls() -> None:
    schedule, until_loss, calls = a_schedule(), TIMEOUT, 0
    while until_loss > 0:
        until_loss -= wait(schedule, SlowDown("no", after=120.0), until_loss=until_loss)
        calls += 1
    assert calls <= TIMEOUT / RUSH


@pytest.mark.parametrize("until_loss", [None, 0.0, -500.0])
def test_once_hits_may_be_lost_the_bound_is_the_interval(until_loss: float | None) -> None:
    assert wait(a_schedule(), Retry("no", after=1e9), until_loss=until_loss) == INTERVAL


def test_what_the_api_asks_to_wait_is_waited_within_the_bounds() -> None:
    schedule = a_schedule()
    assert wait(schedule, Retry("no", after=120.0), until_loss=600.0) == 120.0
    assert wait(schedule, SlowDown("no", after=120.0), until_loss=100.0) == 40.0
    assert wait(schedule, Retry("no", after=0.0), now=0.0) == SHORTEST


@pytest.mark.parametrize("after", [-5.0, 0.0, 0.5])
@pytest.mark.parametrize("kind", [Retry, NotASnapshot, SlowDown, BadToken, Refused])
def test_what_the_api_asks_to_wait_is_a_floor_under_our_own_backoff(kind: type[PollFailed], after: float) -> None:
    own, asked = a_schedule(rng=MOST), a_schedule(rng=MOST)
    for _ in range(11):
        assert wait(asked, kind("no", after=after)) == wait(own, kind("no"))


@pytest.mark.parametrize("error", [BadToken("no", after=40.0), Refused("no", after=40.0)])
def test_who_asks_for_a_pause_gets_it_before_a_slow_retry_too(error: PollFailed) -> None:
    assert wait(a_schedule(interval=5.0), error) == 40.0


@pytest.mark.parametrize("error", [BadToken("no", after=1e9), Refused("no", after=1e9)])
def test_no_pause_that_is_asked_for_silences_a_source_for_longer_than_the_slowest_retry(error: PollFailed) -> None:
    assert wait(a_schedule(), error) == INTERVAL
    assert wait(a_schedule(interval=5.0), error) == 60.0


@pytest.mark.parametrize("kind", [BadToken, Refused])
def test_the_last_moment_before_hits_are_lost_gets_a_try_of_its_own(kind: type[PollFailed]) -> None:
    schedule = a_schedule()
    wait(schedule, Refused("no"))  # the first is tried again soon
    assert wait(schedule, kind("no"), until_loss=200.0) == 200.0 - TIMEOUT
    assert wait(schedule, kind("no"), until_loss=TIMEOUT) == 270.0


def test_a_spent_quota_waits_for_the_reset() -> None:
    assert wait(a_schedule(rng=LEAST), QuotaSpent("no"), until_reset=7200.0, until_loss=10.0) == 7201.0
    assert wait(a_schedule(rng=MOST), QuotaSpent("no"), until_reset=7200.0) == 7230.0


def test_a_spent_quota_waits_as_long_as_the_api_asks() -> None:
    assert wait(a_schedule(), QuotaSpent("no", after=900.0), until_reset=7200.0) == 900.0


@pytest.mark.parametrize("after", [-5.0, 0.0, 60.0])
def test_a_spent_quota_is_asked_for_no_more_often_than_polled_whatever_the_api_says(after: float) -> None:
    schedule = a_schedule()
    assert [wait(schedule, QuotaSpent("no", after=after)) for _ in range(3)] == [270.0, 270.0, 270.0]


def test_a_spent_quota_that_is_said_to_end_soon_is_tried_again_before_hits_are_lost() -> None:
    schedule = a_schedule()
    assert wait(schedule, QuotaSpent("no", after=60.0), until_loss=200.0) == 200.0 - TIMEOUT
    assert wait(schedule, QuotaSpent("no", after=60.0), until_loss=TIMEOUT) == 270.0


def test_a_quotas_retry_after_is_bounded_by_the_reset() -> None:
    assert wait(a_schedule(rng=MOST), QuotaSpent("no", after=1e9), until_reset=7200.0) == 7230.0


def test_a_quota_still_spent_after_the_reset_is_asked_for_now_and_then() -> None:
    schedule = a_schedule()
    wait(schedule, QuotaSpent("no"), until_reset=100.0)
    assert wait(schedule, QuotaSpent("no"), until_reset=DAY) == PROBE
    assert wait(schedule, QuotaSpent("no"), until_reset=60.0) == 60.0


def test_a_success_forgets_the_refusals_for_quota() -> None:
    schedule = a_schedule()
    wait(schedule, QuotaSpent("no"))
    schedule.after_success(1000.0)
    assert wait(schedule, QuotaSpent("no"), until_reset=7200.0) == 7201.0


def test_what_a_person_must_mend_is_asked_for_slowly() -> None:
    schedule, error = a_schedule(rng=MOST), BadToken("no")
    assert [wait(schedule, error, until_loss=1.0) for _ in range(3)] == [330, 330, 330]
    quick = a_schedule(interval=5.0, rng=LEAST)
    waits = [wait(quick, error, until_loss=1.0) for _ in range(6)]
    assert waits == pytest.approx([4.5, 9, 18, 36, 54, 54])


def test_an_unknown_refusal_is_asked_about_soon_once_and_then_slowly() -> None:
    for rng, first, least in ((LEAST, 1.0, 270.0), (MOST, 5.0, 330.0)):
        schedule = a_schedule(rng=rng)
        assert [wait(schedule, Refused("no"), until_loss=1.0) for _ in range(3)] == pytest.approx([first, least, least])
        schedule.after_success(1000.0)
        assert wait(schedule, Refused("no")) == first
    schedule = a_schedule(rng=MOST)
    wait(schedule, Retry("no"))
    assert wait(schedule, Refused("no")) == 5.0
    wait(schedule, Retry("no"))
    assert wait(schedule, Refused("no")) == 330.0


def test_soon_is_no_sooner_than_the_api_asks_and_no_later_than_hits_would_be_lost_or_the_slow_way() -> None:
    assert wait(a_schedule(rng=MOST), Refused("no", after=40.0)) == 40.0
    assert wait(a_schedule(rng=MOST), Refused("no"), until_loss=TIMEOUT + 2.0) == 2.0
    assert wait(a_schedule(rng=MOST, interval=2.0), Refused("no")) == pytest.approx(2.2)


def test_while_kafka_is_away_and_memory_full_the_api_is_asked_no_more_often_than_usual() -> None:
    schedule = a_schedule()
    assert wait(schedule, PendingFull("no"), until_loss=1.0) == INTERVAL
    assert wait(schedule, PendingFull("no"), until_loss=None, now=1301.0) == INTERVAL - 1


def test_after_a_recovery_the_next_failure_is_tried_again_at_once() -> None:
    schedule = a_schedule(rng=MOST)
    for _ in range(9):
        wait(schedule, Retry("no"))
    schedule.after_success(1000.0)
    assert wait(schedule, Retry("no")) == 1.0


@given(SEEDS, st.floats(0, 1e6), st.floats(0.5, 7200.0))
def test_the_next_poll_is_never_now_and_never_further_than_an_interval(seed: int, now: float, interval: float) -> None:
    due = a_schedule(rng=Random(seed), interval=interval, start=0.0).after_success(now)
    assert now < due <= now + interval * 1.05 + 1e-6


def test_a_thousand_failures_overflow_nothing() -> None:
    schedule = a_schedule(rng=MOST)
    assert [wait(schedule, Retry("no")) for _ in range(1000)][-1] == INTERVAL
