"""One source's loop: when it polls, under whose token, and what it makes of failures."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from producer.core.ports import Polled
from producer.core.quota import DAY, Quota, seconds_to_reset
from producer.errors import BadToken, NotASnapshot, PollFailed, QuotaSpent, Refused, Retry, SlowDown
from producer.model import RECORD_CAP
from tests.twins.recording_observer import RecordingObserver
from tests.twins.virtual_time import virtual_time
from tests.unit.core.rig import INTERVAL, Rig, elapse
from tests.unit.core.samples import a_row


def nothing() -> None:
    """Nobody waits for snapshots."""


def polling_of(rig: Rig) -> asyncio.Task[None]:
    (rounds,) = rig.all_rounds
    return asyncio.create_task(rounds.run(nothing))


def times(rig: Rig) -> list[float]:
    first = rig.clock.now().wall - asyncio.get_running_loop().time()
    return [request.wall - first for request in rig.api.requests]


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


@virtual_time
async def test_the_first_poll_is_at_once_and_the_others_keep_their_slots() -> None:
    rig = Rig()
    for _ in range(5):
        rig.api.answers([], seconds=20)
    task = polling_of(rig)
    await elapse(4 * INTERVAL + 10)
    await ended(task)
    asked = times(rig)
    assert asked[0] == 0
    assert all(0 <= when - number * INTERVAL <= 5 for number, when in enumerate(asked))
    assert len(asked) == 5


@virtual_time
async def test_a_poll_longer_than_the_interval_is_told_and_nothing_piles_up() -> None:
    rig = Rig()
    rig.api.answers([], seconds=2.5 * INTERVAL)
    task = polling_of(rig)
    await elapse(4 * INTERVAL + 10)
    await ended(task)
    assert (rig.observer.overruns, rig.api.most_concurrent, len(rig.api.requests)) == ([2], 1, 3)


@virtual_time
async def test_a_failure_is_told_with_the_wait_and_tried_again() -> None:
    rig = Rig()
    rig.api.answers(Retry("503"))
    task = polling_of(rig)
    await elapse(2)
    await ended(task)
    (failed,) = rig.observer.failures
    assert times(rig)[1] == pytest.approx(failed.retry_in)
    assert rig.observer.journal == ["failed", "polled"]


@pytest.mark.parametrize("kind", [Retry, SlowDown, NotASnapshot, QuotaSpent, BadToken, Refused])
@virtual_time
async def test_an_api_that_asks_to_be_called_again_at_once_spends_no_quota(kind: type[PollFailed]) -> None:
    rig = Rig()
    rig.api.standing = kind("no", after=0.0)
    task = polling_of(rig)
    await elapse(4 * 3600)
    await ended(task)
    ordinary, while_it_begins = 4 * 3600 / 30 if kind is SlowDown else 4 * 3600 / INTERVAL, 10
    assert len(rig.api.requests) <= 3 * ordinary + while_it_begins  # full jitter halves a wait, on average


@virtual_time
async def test_no_failure_of_the_api_ever_ends_the_loop() -> None:
    rig = Rig()
    for error in (Retry("no"), BadToken("no"), QuotaSpent("no", after=10), Retry("no", after=5)):
        rig.api.answers(error)
    rig.api.standing = [a_row("a")]
    task = polling_of(rig)
    await elapse(3 * INTERVAL)
    assert not task.done()
    await ended(task)
    assert set(rig.source.pending.hits) == {"a"}


@virtual_time
async def test_a_defect_of_ours_is_a_failed_poll_whose_text_is_not_told() -> None:
    rig = Rig()
    rig.api.answers([a_row("a")])
    (rounds,) = rig.all_rounds

    class Broken:
        def identify(self, *_: object, **__: object) -> None:
            raise ValueError("573005550123")

        read = identify

    rounds._poller._reader = Broken()  # type: ignore[assignment]  # a reader that no reader should be
    await rounds.once()
    (failed,) = rig.observer.failures
    assert "ValueError" in str(failed.error)
    assert "573005550123" not in str(failed.error)


@virtual_time
async def test_rounds_that_die_of_a_defect_are_told_and_begin_again_as_often_as_usual() -> None:
    rig = Rig()
    deaths = iter([ValueError("573005550123"), ValueError("573005550123"), None])

    def on_snapshot() -> None:
        if (death := next(deaths)) is not None:
            raise death

    (rounds,) = rig.all_rounds
    task = asyncio.create_task(rounds.run(on_snapshot))
    await elapse(1)
    assert (rig.observer.journal, len(rig.api.requests)) == (["polled", "died"], 1)
    assert rounds.state.failure is not None
    assert "ValueError at test_rounds.py" in str(rounds.state.failure)
    assert "573005550123" not in str(rounds.state.failure)
    assert rounds.state.next_poll == pytest.approx(rig.clock.now().wall - 1 + INTERVAL)
    await elapse(2 * INTERVAL)
    await ended(task)
    assert rig.observer.journal == ["polled", "died", "polled", "died", "polled"]
    assert times(rig) == pytest.approx([0, INTERVAL, 2 * INTERVAL], abs=0.1)
    assert rounds.state.failure is None


class Speechless(RecordingObserver):
    """Has a defect where it should tell of a poll."""

    def polled(self, polled: Polled) -> None:
        raise ValueError(polled.server)


@virtual_time
async def test_a_single_poll_that_dies_of_a_defect_is_told_and_what_it_brought_is_committed() -> None:
    rig = Rig(observer=Speechless())
    rig.api.answers([a_row("a")])
    assert await rig.shard().once(within=30)
    (rounds,) = rig.all_rounds
    assert "ValueError at test_rounds.py" in str(rounds.state.failure)
    assert (rig.observer.journal.count("died"), rig.published()) == (1, ["a"])


@virtual_time
async def test_after_an_outage_retries_come_often_enough_to_lose_nothing_and_then_calm_down() -> None:
    rig = Rig()
    rig.api.answers([])
    rig.api.standing = Retry("503")
    task = polling_of(rig)
    await elapse(600)
    before = [when for when in times(rig) if when < 600]
    assert max(later - earlier for earlier, later in pairwise(before)) <= INTERVAL + 5
    assert len(before) >= 4
    await elapse(3600)
    await ended(task)
    late = [when for when in times(rig) if when > 600]
    assert 3600 / INTERVAL <= len(late) <= 3 * 3600 / INTERVAL


@pytest.mark.parametrize(("left", "polls"), [(10_000, 2), (10, 1), (None, 1)])
@virtual_time
async def test_a_full_answer_is_followed_up_sooner_if_the_quota_surely_allows_it(left: int | None, polls: int) -> None:
    rig = Rig()
    rig.api.answers([a_row(str(number)) for number in range(RECORD_CAP)])
    rig.all_rounds[0].state.quota = Quota(left, left)
    task = polling_of(rig)
    await elapse(INTERVAL - 10)
    await ended(task)
    assert len(rig.api.requests) == polls


@virtual_time
async def test_the_state_says_when_the_last_success_was_and_when_the_next_poll_is() -> None:
    rig = Rig()
    (rounds,) = rig.all_rounds
    rig.api.answers(Retry("503", after=30))
    task = polling_of(rig)
    await elapse(1)
    now = rig.clock.now().wall
    assert rounds.state.next_poll is not None
    assert (rounds.state.succeeded, type(rounds.state.failure)) == (None, Retry)
    assert rounds.state.next_poll - now == pytest.approx(29, abs=0.1)
    await elapse(30)
    await ended(task)
    assert rounds.state.succeeded is not None
    assert rounds.state.succeeded.wall == pytest.approx(now + 29, abs=0.1)


@virtual_time
async def test_two_sources_under_one_token_never_ask_at_the_same_time() -> None:
    rig = Rig(servers=("0042", "0043"))
    inside: list[int] = []
    for rounds in rig.all_rounds:
        rounds._turn = lambda: rig.turns.turn(lambda: "the same token")
    for api in rig.apis.values():
        api.answers([], seconds=30)
    tasks = [asyncio.create_task(rounds.run(nothing)) for rounds in rig.all_rounds]
    for _ in range(59):
        inside.append(sum(api.concurrent for api in rig.apis.values()))
        await elapse(1)
    for task in tasks:
        await ended(task)
    assert max(inside) == 1
    assert all(api.requests for api in rig.apis.values())


@virtual_time
async def test_a_quota_answer_that_breaks_our_reading_does_not_end_the_polls() -> None:
    rig = Rig()
    (rounds,) = rig.all_rounds

    async def broken() -> Quota:
        raise ValueError("a defect of ours")

    rounds._ask_quota = broken
    task = polling_of(rig)
    await elapse(2 * INTERVAL + 10)
    assert not task.done()
    await ended(task)
    assert len(rig.api.requests) == 3


@virtual_time
async def test_what_is_left_of_the_quota_is_counted_down_and_asked_for_anew_each_day() -> None:
    rig = Rig()
    (rounds,) = rig.all_rounds
    asked: list[int] = []

    async def quota() -> Quota:
        asked.append(len(rig.api.requests))
        return Quota(1000, 900)

    rounds._ask_quota = quota
    task = polling_of(rig)
    await elapse(2 * INTERVAL + 10)
    assert (len(rig.api.requests), rounds.state.quota) == (3, Quota(1000, 898))
    await elapse(DAY)
    await ended(task)
    assert len(asked) == 2
    assert rounds.state.quota == Quota(1000, 900 - (len(rig.api.requests) - asked[1]))


@virtual_time
async def test_what_was_left_yesterday_allows_nothing_today() -> None:
    rig = Rig()
    (rounds,) = rig.all_rounds
    left = iter([10_000, 0])

    async def quota() -> Quota:
        return Quota(None, next(left))

    rounds._ask_quota = quota
    task = polling_of(rig)
    midnight = seconds_to_reset(rig.clock.now().wall, ZoneInfo("America/Bogota"))
    await elapse(midnight // INTERVAL * INTERVAL + 10)
    rig.api.answers([a_row(str(number)) for number in range(RECORD_CAP)])
    polls = len(rig.api.requests)
    await elapse(2 * INTERVAL)
    await ended(task)
    assert len(rig.api.requests) == polls + 2


@virtual_time
async def test_a_quota_whose_question_was_cancelled_is_asked_for_again() -> None:
    rig = Rig()
    (rounds,) = rig.all_rounds
    never = asyncio.Event()

    async def silent() -> Quota:
        await never.wait()
        raise AssertionError

    async def quota() -> Quota:
        return Quota(1000, 900)

    rounds._ask_quota = silent
    task = polling_of(rig)
    await elapse(1)
    await ended(task)
    rounds._ask_quota = quota
    task = polling_of(rig)
    await elapse(1)
    await ended(task)
    assert rounds.state.quota == Quota(1000, 900)
