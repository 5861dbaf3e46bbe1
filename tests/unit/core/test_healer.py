"""A told gap heals: once, whole, and only from a history that knows the hits by the ids they were told by."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import orjson
import pytest

from producer.clock import rfc3339
from producer.core.digests import NEVER_COMPARED
from producer.core.healer import TRIES
from producer.core.healing import SHORTEST_PAUSE
from producer.core.ledger import Kind
from producer.core.quota import Quota
from producer.core.shard import LEAST_ROOM, Shard
from producer.errors import NotASnapshot, PollFailed, QuotaSpent, Retry, Unavailable, Untrusted
from producer.model import RECORD_CAP, Gap, GapKind, Method, OpenGap, Topic
from tests.twins.manual_clock import WALL
from tests.twins.memory_kafka import MemoryKafka, Record
from tests.twins.memory_store import Fault
from tests.twins.virtual_time import virtual_time
from tests.unit.core.rig import INTERVAL, Rig, elapse
from tests.unit.core.samples import SERVER, a_row, a_taken

DELAY = 1200.0
OUTAGE = 2000.0
HEALED = OUTAGE + INTERVAL + DELAY + 60
"""Seconds after which the gap of an outage that began with the first poll is healed, if it is healed at once."""
COVERED = [f"covered-{number}" for number in range(10)]
MISSED = [f"missed-{number}" for number in range(5)]


def history_of(rig: Rig, *, covered: Iterable[str] = COVERED, missed: Iterable[str] = MISSED) -> None:
    """What the history knows: hits from before the first poll, and hits of the outage."""
    for number, key in enumerate(covered):
        rig.history.hits[key] = WALL - 600 + 50 * number
    for number, key in enumerate(missed):
        rig.history.hits[key] = WALL + 300 + 100 * number


async def outage(rig: Rig, shard: Shard | None = None) -> Shard:
    """A shard whose first poll shows what is covered; then nobody answers for longer than the report reaches back."""
    shard = shard or rig.shard()
    shard.start()
    rig.api.answers([a_row(key) for key in COVERED])
    rig.api.standing = Retry("500")
    await elapse(OUTAGE)
    rig.api.standing = [a_row("after")]
    return shard


def coverage(kafka: MemoryKafka, kind: str) -> list[dict[str, Any]]:
    """The values of the coverage topic's events of a type."""
    events = kafka.committed(Topic.COVERAGE)
    return [orjson.loads(one.value or b"") for one in events if header(one, "ce_type") == f"wolkvox.{kind}"]


def header(record: Record, name: str) -> str | None:
    return next((value.decode() for key, value in record.headers if key == name), None)


def waiting(kafka: MemoryKafka) -> list[bytes]:
    """The gaps that the ledger says wait."""
    found = dict[bytes, bytes | None]()
    for record in kafka.committed(Topic.LEDGER):
        if (record.key or b"").startswith(f"{Kind.GAP}/".encode()):
            found[record.key or b""] = record.value
    return [key for key, value in found.items() if value is not None]


@virtual_time
async def test_a_gap_heals_by_itself_once_its_delay_is_over() -> None:
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    shard = await outage(rig)
    await elapse(INTERVAL + 60)
    [gap], recovered = coverage(rig.kafka, "coverage-gap"), coverage(rig.kafka, "gap-recovered")
    assert (recovered, len(waiting(rig.kafka)), len(rig.source.healing)) == ([], 1, 1)
    await elapse(DELAY)
    await shard.stop(within=1)
    assert Counter(rig.published()) == Counter([*COVERED, *MISSED, "after"])
    [value] = coverage(rig.kafka, "gap-recovered")
    assert (value["from"], value["to"], value["method"]) == (gap["from"], gap["to"], "history")
    assert (value["found"], value["published"], value["already_told"]) == (5, 5, 0)
    assert (waiting(rig.kafka), coverage(rig.kafka, "hit-changed")) == ([], [])


@virtual_time
async def test_what_was_recovered_is_marked_and_waits_for_nobody() -> None:
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    shard = await outage(rig)
    await elapse(HEALED - OUTAGE)
    await shard.stop(within=1)
    marked = {(one.key or b"").decode(): header(one, "wolkvox_recovered") for one in rig.kafka.committed(Topic.HITS)}
    assert {key for key, mark in marked.items() if mark == "history"} == set(MISSED)
    assert {key for key, mark in marked.items() if mark is None} == {*COVERED, "after"}
    told = [one for commit in rig.observer.commits for one in commit.values()]
    assert sum((one.recovered for one in told), Counter()) == {Method.HISTORY: len(MISSED)}
    assert sum(one.published for one in told) == len(COVERED) + 1
    [recovery] = [gap for one in told for gap in one.recoveries]
    assert (recovery.found, recovery.published) == (5, 5)


@virtual_time
async def test_recovered_time_is_not_covered_time() -> None:
    """Cursor and coverage stay as they were: what the history forgot is a gap all the same."""
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    shard = await outage(rig)
    await elapse(INTERVAL + 60)
    rig.api.standing = Retry("500")
    before = rig.source.coverage.seconds_until_loss(rig.clock.now())
    await elapse(DELAY)
    after = rig.source.coverage.seconds_until_loss(rig.clock.now())
    await shard.stop(within=1)
    assert "missed-0" in rig.published()
    assert before is not None
    assert after == pytest.approx(before - DELAY)


@pytest.mark.parametrize("known", [0, 4, 8])
@virtual_time
async def test_a_history_with_other_ids_publishes_nothing_and_says_so(known: int) -> None:
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    same = {*COVERED[:1], *COVERED[1:known]} if known else set()
    rig.history.names = lambda key: key if key in same else f"other {key}"
    shard = await outage(rig)
    await elapse(HEALED - OUTAGE)
    await shard.stop(within=1)
    assert Counter(rig.published()) == Counter([*COVERED, "after"])
    assert (coverage(rig.kafka, "gap-recovered"), len(waiting(rig.kafka))) == ([], 1)
    [unhealed] = rig.observer.unhealed
    assert unhealed.why == f"of 10 hits that the history has before it, {known} are told"
    assert (unhealed.disagrees, unhealed.retry_in) == (True, SHORTEST_PAUSE)


@virtual_time
async def test_a_history_that_agrees_later_is_believed_then() -> None:
    """Its rows may come late; it is asked after an hour, and after twice as long each time."""
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    rig.history.names = lambda key: f"other {key}"
    shard = await outage(rig)
    await elapse(HEALED - OUTAGE + SHORTEST_PAUSE)
    assert [one.retry_in for one in rig.observer.unhealed] == pytest.approx([SHORTEST_PAUSE, SHORTEST_PAUSE], rel=0.01)
    rig.history.names = str
    await elapse(SHORTEST_PAUSE)
    await shard.stop(within=1)
    assert set(MISSED) <= set(rig.published())


@virtual_time
async def test_after_a_quiet_hour_the_day_before_proves_it() -> None:
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    rig.history.hits |= {key: WALL - 7200 - 60 * number for number, key in enumerate(COVERED)}
    shard = await outage(rig)
    await elapse(HEALED - OUTAGE)
    await shard.stop(within=1)
    assert set(MISSED) <= set(rig.published())
    assert rig.past.asked == pytest.approx([WALL - 7200, WALL - 86_400 - 3600], abs=5)


@virtual_time
async def test_what_the_ledger_has_forgotten_is_asked_of_the_topic() -> None:
    """The shard was away for so long that what it told of the gap's time is in no window any more."""
    rig = Rig(heal_after=3 * 7200.0)
    history_of(rig, missed=[*MISSED, "after"])
    shard = await outage(rig)
    await elapse(INTERVAL)
    rig.api.standing = []
    await elapse(4 * 7200.0)
    await shard.stop(within=1)
    assert not set(COVERED) & set(rig.source.hits)
    assert Counter(rig.published()) == Counter([*COVERED, *MISSED, "after"])
    [value] = coverage(rig.kafka, "gap-recovered")
    assert (value["found"], value["published"], value["already_told"]) == (6, 5, 1)


@virtual_time
async def test_a_topic_that_lost_what_was_told_of_the_gap_is_no_witness() -> None:
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    rig.past.begins = WALL + 1
    shard = await outage(rig)
    await elapse(HEALED - OUTAGE + INTERVAL)
    await shard.stop(within=1)
    assert not set(MISSED) & set(rig.published())
    [unhealed] = rig.observer.unhealed
    assert (unhealed.retry_in, waiting(rig.kafka)) == (None, [])


@pytest.mark.parametrize("error", [Retry("503"), NotASnapshot("html"), QuotaSpent("quota")])
@virtual_time
async def test_a_history_that_fails_is_asked_again(error: PollFailed) -> None:
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    rig.history.failures.append(error)
    shard = await outage(rig)
    await elapse(86_400 + 3600)
    await shard.stop(within=1)
    assert set(MISSED) <= set(rig.published())
    assert [one.why for one in rig.observer.unhealed] == [str(error)]


@virtual_time
async def test_a_history_that_fails_for_good_costs_few_calls() -> None:
    rig = Rig(heal_after=DELAY)
    rig.history.failures.extend([Retry("503")] * 1000)
    shard = await outage(rig)
    await elapse(86_400)
    await shard.stop(within=1)
    assert 5 < len(rig.history.ranges) < 50
    assert not set(MISSED) & set(rig.published())


@virtual_time
async def test_no_call_is_made_that_the_polls_need() -> None:
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    rig.quota = Quota(1000, 40)
    shard = await outage(rig)
    await elapse(HEALED - OUTAGE)
    assert rig.history.ranges == []
    rig.quota = Quota(1000, 1000)
    await elapse(86_400)
    await shard.stop(within=1)
    assert set(MISSED) <= set(rig.published())


@virtual_time
async def test_while_kafka_is_away_nothing_is_asked_of_the_history() -> None:
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    rig.past.failures.extend([Unavailable("no broker")] * 8)
    shard = await outage(rig)
    await elapse(HEALED - OUTAGE + 8 * INTERVAL)
    await shard.stop(within=1)
    assert set(MISSED) <= set(rig.published())
    assert len(rig.history.ranges) == 2


@virtual_time
async def test_a_topic_that_may_not_be_read_is_asked_rarely() -> None:
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    rig.past.failures.append(Untrusted("no such topic"))
    shard = await outage(rig)
    await elapse(HEALED - OUTAGE)
    await shard.stop(within=1)
    assert [one.retry_in for one in rig.observer.unhealed] == [SHORTEST_PAUSE]


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.UNKNOWN_LANDED])
@virtual_time
async def test_a_commit_of_unknown_outcome_heals_it_once(fault: Fault) -> None:
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    shard = await outage(rig)
    await elapse(INTERVAL + DELAY / 2)
    rig.api.standing = Retry("500")  # so that the next commit is the healing's
    rig.store.faults.append(fault)
    await elapse(DELAY)
    await shard.stop(within=1)
    assert Counter(rig.published()) == Counter([*COVERED, *MISSED, "after"])
    assert len(coverage(rig.kafka, "gap-recovered")) == 1
    assert rig.observer.journal.count("commit failed: Discard") == 1


@virtual_time
async def test_the_next_owner_heals_what_the_last_one_told() -> None:
    kafka = MemoryKafka()
    first = Rig(kafka=kafka, heal_after=DELAY)
    history_of(first)
    shard = await outage(first)
    await elapse(INTERVAL + 60)
    await shard.stop(within=1)
    assert (len(waiting(kafka)), len(first.source.healing)) == (1, 0)
    second = Rig(kafka=kafka, heal_after=DELAY)
    history_of(second)
    second.api.standing = [a_row("after")]
    shard = second.shard()
    shard.start()
    await elapse(DELAY + 60)
    await shard.stop(within=1)
    assert Counter(second.published()) == Counter([*COVERED, *MISSED, "after"])
    assert (len(coverage(kafka, "gap-recovered")), waiting(kafka)) == (1, [])


@virtual_time
async def test_what_was_asked_before_the_ledger_was_read_again_is_not_believed() -> None:
    """Another owner healed it while this one waited for the history's answer."""
    kafka = MemoryKafka()
    slow, quick = Rig(kafka=kafka, heal_after=DELAY), Rig(kafka=kafka, heal_after=DELAY)
    history_of(slow)
    history_of(quick)
    slow.history.seconds = 100.0
    shard = await outage(slow)
    while not slow.history.ranges:
        await elapse(1)
    quick.api.standing = slow.api.standing
    other = quick.shard()
    other.start()
    await elapse(50)
    assert len(coverage(kafka, "gap-recovered")) == 1
    await other.stop(within=1)
    await elapse(1000)
    await shard.stop(within=1)
    assert Counter(slow.published()) == Counter([*COVERED, *MISSED, "after"])
    assert len(coverage(kafka, "gap-recovered")) == 1


@virtual_time
async def test_a_shard_that_goes_takes_its_healing_along() -> None:
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    rig.history.seconds = 1000.0
    shard = await outage(rig)
    while not rig.history.ranges:
        await elapse(1)
    await shard.stop(within=1)
    assert len(asyncio.all_tasks()) == 1
    assert (len(rig.source.pending), len(rig.source.healing), len(waiting(rig.kafka))) == (0, 0, 1)


@virtual_time
async def test_a_second_gap_meanwhile_heals_after_the_first() -> None:
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    shard = await outage(rig)
    await elapse(INTERVAL + 60)
    rig.api.standing = Retry("500")
    rig.history.hits["missed again"] = rig.clock.now().wall + 300
    await elapse(OUTAGE)
    rig.api.standing = [a_row("long after")]
    await elapse(INTERVAL + DELAY + 60)
    await shard.stop(within=1)
    assert Counter(rig.published()) == Counter([*COVERED, *MISSED, "after", "missed again", "long after"])
    assert [one["published"] for one in coverage(rig.kafka, "gap-recovered")] == [5, 1]


@virtual_time
async def test_what_the_live_report_shows_later_is_no_change() -> None:
    """The two reports word one hit differently; and it is told once, by whichever came first."""
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    shard = await outage(rig)
    await elapse(HEALED - OUTAGE)
    rig.api.standing = [a_row("missed-0"), a_row("after")]
    await elapse(2 * INTERVAL)
    await shard.stop(within=1)
    assert Counter(rig.published()) == Counter([*COVERED, *MISSED, "after"])
    assert rig.kafka.committed(Topic.CHANGES) == []
    version = rig.source.hits.version("missed-0")
    assert version is None or version.digest == NEVER_COMPARED


@virtual_time
async def test_run_once_heals_nothing() -> None:
    kafka = MemoryKafka()
    first = Rig(kafka=kafka, heal_after=DELAY)
    history_of(first)
    shard = await outage(first)
    await elapse(INTERVAL + 60)
    await shard.stop(within=1)
    await elapse(DELAY)
    again = Rig(kafka=kafka, heal_after=DELAY)
    again.api.standing = [a_row("after")]
    assert await again.shard().once(within=60)
    assert (again.history.ranges, len(waiting(kafka))) == ([], 1)


@virtual_time
async def test_a_truncated_answer_is_a_gap_that_heals() -> None:
    rig = Rig(heal_after=DELAY)
    history_of(rig, missed=["missed-0"])
    shard = rig.shard()
    shard.start()
    rig.api.answers([a_row(key) for key in COVERED])
    rig.api.standing = [a_row(f"shown-{number % 7}") for number in range(RECORD_CAP)]
    await elapse(INTERVAL + 30)
    rig.api.standing = [a_row("after")]
    await elapse(INTERVAL + DELAY + 60)
    await shard.stop(within=1)
    [gap], [value] = coverage(rig.kafka, "coverage-gap"), coverage(rig.kafka, "gap-recovered")
    assert (gap["kind"], value["from"], value["published"]) == ("truncated", gap["from"], 1)
    assert "missed-0" in rig.published()


@virtual_time
async def test_a_healing_that_takes_several_transactions_counts_all_of_them_and_ends_with_the_last() -> None:
    rig = Rig(heal_after=DELAY)
    many = [f"many-{number}" for number in range(2 * LEAST_ROOM + 50)]
    history_of(rig, missed=[])
    rig.history.hits |= {key: WALL + 300 + number for number, key in enumerate(many)}
    shard = rig.shard()
    shard._room = LEAST_ROOM
    await outage(rig, shard)
    await elapse(HEALED - OUTAGE)
    await shard.stop(within=1)
    told = [one for commit in rig.observer.commits for one in commit.values() if one.recovered]
    assert len(told) > 1
    assert [bool(one.recoveries) for one in told] == [False] * (len(told) - 1) + [True]
    [value] = coverage(rig.kafka, "gap-recovered")
    assert (value["found"], value["published"], value["already_told"]) == (len(many), len(many), 0)


@virtual_time
async def test_a_row_of_the_history_that_is_no_hit_is_a_dead_letter() -> None:
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    rig.history.names = lambda key: "" if key == "missed-0" else key
    shard = await outage(rig)
    await elapse(HEALED - OUTAGE)
    await shard.stop(within=1)
    assert set(rig.published()) == {*COVERED, *MISSED[1:], "after"}
    assert len(rig.kafka.committed(Topic.DEAD_LETTER)) == 1
    [value] = coverage(rig.kafka, "gap-recovered")
    assert (value["found"], value["published"], value["already_told"]) == (5, 4, 0)


@virtual_time
async def test_a_healing_waits_for_room_as_a_poll_does() -> None:
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    shard = await outage(rig)
    await elapse(INTERVAL + 60)
    rig.budget.taken = rig.budget.limit
    await elapse(DELAY)
    assert not set(MISSED) & set(rig.published())
    assert "PENDING_LIMIT" in rig.observer.unhealed[0].why
    rig.budget.taken = 0
    await elapse(SHORTEST_PAUSE + DELAY)
    await shard.stop(within=1)
    assert set(MISSED) <= set(rig.published())


@virtual_time
async def test_a_gap_of_which_nothing_is_missing_is_healed_as_well() -> None:
    rig = Rig(heal_after=DELAY)
    history_of(rig, missed=[])
    shard = await outage(rig)
    await elapse(HEALED - OUTAGE)
    await shard.stop(within=1)
    [value] = coverage(rig.kafka, "gap-recovered")
    assert (value["found"], value["published"], value["already_told"]) == (0, 0, 0)
    assert waiting(rig.kafka) == []


def gaps_wait(rig: Rig, shard: Shard, number: int) -> None:
    """So many told gaps wait, all of them due."""
    gaps = [Gap(SERVER, start := WALL - 7200 * (nth + 1), start + 900, GapKind.UNPOLLED, True) for nth in range(number)]
    opened = [OpenGap(gap, rfc3339(gap.end)) for gap in gaps]
    rig.source.healing.settle(a_taken(opened=opened))
    shard._wake_healers()


async def polling(rig: Rig) -> Shard:
    """A shard that has polled once."""
    rig.api.standing = [a_row("x")]
    shard = rig.shard()
    shard.start()
    await elapse(1)
    return shard


@virtual_time
async def test_after_a_failure_the_other_gaps_wait_too() -> None:
    rig = Rig(heal_after=DELAY)
    rig.history.failures.extend([Retry("503")] * 1000)
    shard = await polling(rig)
    gaps_wait(rig, shard, 30)
    await elapse(60)
    await shard.stop(within=1)
    assert 3 <= len(rig.history.ranges) <= 12
    assert len(rig.past.asked) == rig.quotas_asked == len(rig.history.ranges)


@virtual_time
async def test_each_gap_is_tried_as_often_as_another_before_it_is_put_off() -> None:
    rig = Rig(heal_after=DELAY)
    rig.history.failures.extend([Retry("503")] * 1000)
    shard = await polling(rig)
    gaps_wait(rig, shard, 3)
    await elapse(3 * TRIES * INTERVAL)
    await shard.stop(within=1)
    told = defaultdict[float, list[float]](list)
    for one in rig.observer.unhealed:
        assert one.retry_in is not None
        told[one.gap.start].append(one.retry_in)
    assert len(told) == 3
    for waits in told.values():
        assert [wait >= SHORTEST_PAUSE for wait in waits[:TRIES]] == [False] * (TRIES - 1) + [True]


@virtual_time
async def test_while_the_polls_need_what_is_left_the_topic_is_not_read() -> None:
    rig = Rig(heal_after=DELAY)
    rig.quota = Quota(1000, 40)
    shard = await polling(rig)
    gaps_wait(rig, shard, 30)
    await elapse(3600)
    await shard.stop(within=1)
    assert (rig.past.asked, rig.history.ranges, rig.quotas_asked) == ([], [], 1)


@virtual_time
async def test_what_is_overtaken_again_and_again_is_put_off_as_what_fails() -> None:
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    rig.history.seconds = INTERVAL  # so that a poll, a commit and a reading of the ledger come between
    shard = await outage(rig)
    await elapse(INTERVAL + DELAY)
    for number in range(40):
        rig.api.standing = [a_row(f"after-{number}")]
        rig.store.faults.append(Fault.LOST)
        await elapse(INTERVAL)
    await shard.stop(within=1)
    assert 2 * TRIES <= len(rig.history.ranges) <= 4 * TRIES
    assert {one.why for one in rig.observer.unhealed} == {"the ledger was read again meanwhile"}


@virtual_time
async def test_a_healer_that_dies_of_a_defect_is_told_and_begins_again() -> None:
    rig = Rig(heal_after=DELAY)
    history_of(rig)
    shard = await outage(rig)
    await elapse(INTERVAL + 60)
    await shard._stop_polling()
    deaths = iter([ValueError("573005550123"), None])

    def on_harvest() -> None:
        if (death := next(deaths, None)) is not None:
            raise death

    (healer,) = rig.healers
    task = asyncio.create_task(healer.run(on_harvest))
    await elapse(DELAY)
    assert (rig.observer.journal.count("died"), task.done()) == (1, False)
    task.cancel()
    await asyncio.wait({task})
    await shard.stop(within=1)


@virtual_time
async def test_who_no_longer_heals_gaps_leaves_none_waiting() -> None:
    kafka = MemoryKafka()
    first = Rig(kafka=kafka, heal_after=DELAY)
    shard = await outage(first)
    await elapse(INTERVAL + 60)
    await shard.stop(within=1)
    assert len(waiting(kafka)) == 1
    second = Rig(kafka=kafka)
    second.api.standing = [a_row("another")]
    shard = second.shard()
    shard.start()
    await elapse(60)
    assert (waiting(kafka), len(second.source.healing)) == ([], 0)
    await shard.stop(within=1)
