"""One owned shard's life: take, restore, poll, commit; after any failure of Kafka, again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

import pytest

from producer.errors import AccessDenied, Discard, Fenced, Retry, TooLarge, Unavailable, Untrusted
from producer.ledger import PUBLISHED, cursor_record, hit_record, shard_of, told
from producer.model import Cursor, Outgoing, Topic
from producer.shard import FENCES, Shard
from producer.source import SourceFold
from tests.twins.memory_kafka import MemoryKafka
from tests.twins.memory_store import Fault, MemoryShardStore
from tests.twins.virtual_time import run_virtually, virtual_time
from tests.unit.core.rig import INTERVAL, Rig, elapse
from tests.unit.core.samples import SERVER, SHARD, a_row

LONG = 10 * INTERVAL + 10
"""Ten intervals and the jitter."""


def somebody_wrote(kafka: MemoryKafka, *records: Outgoing) -> None:
    """What another owner left in the ledger."""
    producer = kafka.producer("another owner")
    for record in records:
        producer.send(record, partition=SHARD)
    producer.commit()


def a_told_hit(conn_id: str, server: str = SERVER) -> Outgoing:
    return hit_record(server, conn_id, told(PUBLISHED, "2026-01-19T00:00:00.000000Z"))


@virtual_time
async def test_a_shard_takes_restores_polls_and_commits() -> None:
    rig = Rig()
    rig.api.standing = [a_row("a")]
    shard = rig.shard()
    shard.start()
    await elapse(1)
    assert rig.observer.journal == ["restored", "polled", "committed"]
    assert (rig.published(), shard.pending, shard.restored) == (["a"], 0, True)
    await shard.stop(within=1)


@virtual_time
async def test_what_the_ledger_holds_is_not_told_again_after_a_restart() -> None:
    kafka = MemoryKafka()
    somebody_wrote(kafka, a_told_hit("a"))
    rig = Rig(kafka=kafka)
    rig.api.standing = [a_row("a"), a_row("b")]
    shard = rig.shard()
    shard.start()
    await elapse(LONG)
    await shard.stop(within=1)
    assert rig.published() == ["b"]


@virtual_time
async def test_no_poll_comes_before_the_first_restore() -> None:
    rig = Rig()
    rig.store.down = True
    shard = rig.shard()
    shard.start()
    await elapse(LONG)
    assert (rig.api.requests, shard.restored) == ([], False)
    assert failure_of(shard) is Unavailable
    rig.store.down = False
    await elapse(20)
    assert len(rig.api.requests) == 1
    assert failure_of(shard) is None
    await shard.stop(within=1)


@virtual_time
async def test_polling_goes_on_at_its_pace_through_every_failure_of_kafka() -> None:
    rig = Rig()
    shard = rig.shard()
    shard.start()
    await elapse(1)
    rig.store.down = True
    await elapse(10)
    for number in range(10):
        rig.api.standing = [a_row(f"hit {number}")]
        await elapse(INTERVAL)
    assert len(rig.api.requests) == 11
    rig.store.down = False
    await elapse(60)
    assert rig.published() == [f"hit {number}" for number in range(10)]
    await shard.stop(within=1)


@virtual_time
async def test_a_commit_that_hangs_holds_up_no_poll() -> None:
    rig = Rig()
    rig.store.faults.append(Fault.HANGS)
    rig.api.standing = [a_row("a")]
    shard = rig.shard()
    shard.start()
    await elapse(LONG)
    assert len(rig.api.requests) == 11
    await shard.stop(within=2)
    assert shard.pending == 1


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.UNKNOWN_LANDED])
@virtual_time
async def test_after_a_failed_commit_the_shard_is_taken_again_and_the_ledger_read(fault: Fault) -> None:
    rig = Rig()
    rig.store.faults.append(fault)
    rig.api.standing = [a_row("a")]
    shard = rig.shard()
    shard.start()
    await elapse(LONG)
    await shard.stop(within=1)
    assert rig.published() == ["a"]
    assert rig.store.takes == 2
    assert rig.observer.journal[:5] == ["restored", "polled", "commit failed: Discard", "restored", "committed"]


@virtual_time
async def test_waits_between_tries_grow_and_stay_bounded() -> None:
    rig = Rig()
    rig.store.down = True
    shard = rig.shard()
    shard.start()
    await elapse(3600)
    assert 3600 / 15 <= rig.store.takes <= 3600
    await shard.stop(within=1)


@virtual_time
async def test_several_sources_share_a_shards_transaction() -> None:
    second = next(f"{number:04}" for number in range(9999) if shard_of(f"{number:04}", 12) == SHARD)
    rig = Rig(servers=(SERVER, second))
    for server, api in rig.apis.items():
        api.standing = [a_row(f"of {server}")]
    shard = rig.shard()
    shard.start()
    await elapse(1)
    assert set(rig.published()) == {f"of {SERVER}", f"of {second}"}
    await shard.stop(within=1)


@virtual_time
async def test_one_source_that_fails_costs_the_others_nothing() -> None:
    second = next(f"{number:04}" for number in range(9999) if shard_of(f"{number:04}", 12) == SHARD)
    rig = Rig(servers=(SERVER, second))
    rig.apis[SERVER].standing = Retry("503")
    rig.apis[second].standing = [a_row("a")]
    shard = rig.shard()
    shard.start()
    await elapse(LONG)
    assert rig.published() == ["a"]
    assert len(rig.apis[second].requests) == 11
    await shard.stop(within=1)


@virtual_time
async def test_a_fenced_owner_waits_for_the_groups_fresh_word() -> None:
    rig, fresh = Rig(), asyncio.Event()

    async def settled() -> None:
        await fresh.wait()

    shard = rig.shard(settled=settled)
    shard.start()
    await elapse(1)
    await MemoryShardStore(rig.kafka, number=SHARD).take()
    rig.api.standing = [a_row("a")]
    await elapse(LONG)
    assert (rig.store.takes, rig.published()) == (1, [])
    assert len(rig.api.requests) > 5
    fresh.set()
    await elapse(LONG)
    assert (rig.store.takes, rig.published()) == (2, ["a"])
    await shard.stop(within=1)


class Contested(MemoryShardStore):
    """Somebody takes the id again before each commit."""

    async def commit(self, records: Iterable[Outgoing]) -> None:
        await MemoryShardStore(self._kafka, number=SHARD).take()
        await super().commit(records)


@virtual_time
async def test_one_fenced_again_and_again_says_so_and_slows_down() -> None:
    rig = Rig()
    rig.api.standing = [a_row("a")]
    store = Contested(rig.kafka, number=SHARD)
    shard = rig.shard(store=store)
    shard.start()
    await elapse(60)
    assert {(shard_number, times) for shard_number, times, _ in rig.observer.fences} == {(SHARD, FENCES)}
    assert store.takes < 60 / 7.5 + FENCES + 2
    assert all(isinstance(error, Fenced) for error in rig.observer.commit_failures)
    await shard.stop(within=1)


@virtual_time
async def test_two_owners_who_both_believe_in_themselves_publish_each_hit_once() -> None:
    kafka = MemoryKafka()
    rigs = [Rig(kafka=kafka, seed=seed) for seed in (1, 2)]
    shards = [rig.shard() for rig in rigs]
    for shard in shards:
        shard.start()
    for number in range(40):
        for rig in rigs:
            rig.api.standing = [a_row(f"hit {one}") for one in range(max(0, number - 2), number + 1)]
        await elapse(INTERVAL)
    for rig in rigs:
        rig.api.standing = []
    await elapse(LONG)
    for shard in shards:
        await shard.stop(within=5)
    assert sorted(rigs[0].published()) == sorted(f"hit {number}" for number in range(40))


@pytest.mark.parametrize("error", [Untrusted("repartitioned"), AccessDenied("no")])
@virtual_time
async def test_what_only_a_person_can_mend_ends_the_shard_at_its_start(error: Untrusted | AccessDenied) -> None:
    rig = Rig()
    rig.store.failures.append(error)
    with pytest.raises(type(error)):
        await rig.shard().start()
    assert rig.api.requests == []


@virtual_time
async def test_a_ledger_that_becomes_untrusted_ends_the_shard_and_its_polls() -> None:
    rig = Rig()
    rig.api.standing = [a_row("a")]
    rig.store.faults.append(Fault.LOST)
    shard = rig.shard()
    task = shard.start()
    await elapse(0.01)
    rig.store.failures.append(Untrusted("repartitioned"))
    with pytest.raises(Untrusted):
        await task
    polls = len(rig.api.requests)
    await elapse(LONG)
    assert len(rig.api.requests) == polls
    assert isinstance(shard.failure, Untrusted)


@virtual_time
async def test_permissions_lost_later_are_waited_for() -> None:
    rig = Rig()
    rig.api.standing = [a_row("a")]
    rig.store.faults.append(Fault.LOST)
    shard = rig.shard()
    task = shard.start()
    await elapse(0.01)
    rig.store.failures.append(AccessDenied("no"))
    await elapse(LONG)
    assert not task.done()
    assert rig.published() == ["a"]
    await shard.stop(within=1)


@virtual_time
async def test_stopping_commits_what_waits() -> None:
    rig = Rig()
    rig.store.latency = 1.0
    rig.api.standing = [a_row("a")]
    shard = rig.shard()
    shard.start()
    await elapse(1.5)
    assert shard.pending == 1
    await shard.stop(within=4)
    assert (rig.published(), rig.observer.gone) == (["a"], [(SHARD, 0)])


@virtual_time
async def test_stopping_takes_no_longer_than_it_may() -> None:
    rig = Rig()
    rig.store.faults.append(Fault.HANGS)
    rig.api.standing = [a_row("a")]
    shard = rig.shard()
    shard.start()
    await elapse(1)
    began = asyncio.get_running_loop().time()
    await shard.stop(within=4)
    assert asyncio.get_running_loop().time() - began == 4
    assert rig.observer.gone == [(SHARD, 1)]


@virtual_time
async def test_stopping_between_two_tries_tries_once_more() -> None:
    rig = Rig()
    shard = rig.shard()
    shard.start()
    await elapse(1)
    rig.store.down = True
    rig.api.standing = [a_row("a")]
    await elapse(LONG)
    rig.store.down = False
    await shard.stop(within=1)
    assert rig.published() == ["a"]


@virtual_time
async def test_a_poll_in_hand_is_given_up_at_the_stop_and_leaves_nothing_half_done() -> None:
    rig = Rig()
    rig.api.answers([a_row("a")], seconds=50)
    shard = rig.shard()
    shard.start()
    await elapse(1)
    await shard.stop(within=1)
    assert (rig.published(), shard.pending, rig.api.concurrent) == ([], 0, 0)


@virtual_time
async def test_a_shard_given_up_knows_nothing_that_the_next_owner_may_change() -> None:
    rig = Rig()
    rig.api.standing = [a_row("a")]
    shard = rig.shard()
    shard.start()
    await elapse(1)
    await shard.stop(within=1)
    assert len(rig.source.hits) == 0


@virtual_time
async def test_what_waits_survives_losing_and_regaining_the_shard() -> None:
    rig = Rig()
    first = rig.shard()
    first.start()
    await elapse(1)
    rig.store.down = True
    rig.api.standing = [a_row("a")]
    await elapse(INTERVAL + 10)
    await first.stop(within=2)
    assert rig.observer.gone == [(SHARD, 1)]
    rig.store.down, rig.api.standing = False, []
    await elapse(600)
    second = rig.shard()
    second.start()
    await elapse(1)
    assert rig.published() == ["a"]
    await second.stop(within=1)


@virtual_time
async def test_entries_of_unknown_sources_are_told_and_left_alone() -> None:
    stranger = next(f"{number:04}" for number in range(9999) if shard_of(f"{number:04}", 12) == SHARD)
    kafka = MemoryKafka()
    somebody_wrote(kafka, a_told_hit("x", stranger), cursor_record(stranger, Cursor(1.0, None)))
    rig = Rig(kafka=kafka)
    shard = rig.shard()
    shard.start()
    await elapse(3 * 3600)
    await shard.stop(within=1)
    assert rig.observer.unknown == [[stranger]]
    assert set((await MemoryShardStore(kafka, number=SHARD).take())[stranger].hits) == {"x"}


@virtual_time
async def test_a_cursor_ahead_of_the_clock_is_told() -> None:
    kafka = MemoryKafka()
    rig = Rig(kafka=kafka)
    somebody_wrote(kafka, cursor_record(SERVER, Cursor(rig.clock.now().wall + 3600, None)))
    shard = rig.shard()
    shard.start()
    await elapse(1)
    await shard.stop(within=1)
    assert rig.observer.ahead == [SERVER]


@virtual_time
async def test_a_silence_across_a_restart_is_a_gap_on_the_topic_once() -> None:
    kafka = MemoryKafka()
    rig = Rig(kafka=kafka)
    somebody_wrote(kafka, cursor_record(SERVER, Cursor(rig.clock.now().wall - 3000, None)))
    rig.store.faults.append(Fault.UNKNOWN_LANDED)
    shard = rig.shard()
    shard.start()
    await elapse(LONG)
    await shard.stop(within=1)
    assert len(kafka.committed(Topic.COVERAGE)) == 1


@virtual_time
async def test_an_id_leaves_the_ledger_with_a_tombstone() -> None:
    rig = Rig()
    rig.api.answers([a_row("a")])
    shard = rig.shard()
    shard.start()
    await elapse(3 * 3600)
    await shard.stop(within=1)
    assert "a" not in (await rig.store.take())[SERVER].hits
    assert rig.kafka.committed(Topic.LEDGER)[-1].key == b"cursor/0042"


class Growing(MemoryShardStore):
    """Whose limit is smaller after a refusal."""

    refused = False

    async def commit(self, records: Iterable[Outgoing]) -> None:
        if not self.refused:
            self.refused, self.limit = True, 10_000
            raise TooLarge("over the broker's max.message.bytes")
        await super().commit(records)


@virtual_time
async def test_a_record_that_the_broker_refuses_for_its_size_becomes_a_dead_letter() -> None:
    rig = Rig()
    rig.api.standing = [a_row("a"), {**a_row("huge"), "hit": "V" * 20_000}]
    shard = rig.shard(store=Growing(rig.kafka, number=SHARD))
    shard.start()
    await elapse(60)
    await shard.stop(within=1)
    assert rig.published() == ["a"]
    assert len(rig.kafka.committed(Topic.DEAD_LETTER)) == 1


class Slow(MemoryShardStore):
    """Whose take comes to its end while the shard is being stopped."""

    async def take(self) -> Mapping[str, SourceFold]:
        await asyncio.sleep(0)
        return await super().take()


def failure_of(shard: Shard) -> type[Exception] | None:
    return None if shard.failure is None else type(shard.failure)


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


@pytest.mark.parametrize("after", range(12))
@virtual_time
async def test_a_stop_at_any_moment_leaves_no_poll_behind(after: int) -> None:
    rig = Rig()
    rig.api.standing = [a_row("a")]
    shard = rig.shard(store=Slow(rig.kafka, number=SHARD))
    shard.start()
    await turns(after)
    await shard.stop(within=1)
    polls = len(rig.api.requests)
    await elapse(LONG)
    assert len(rig.api.requests) == polls
    assert shard.pending == 0


@virtual_time
async def test_once_polls_each_source_once_commits_and_ends() -> None:
    rig = Rig()
    rig.api.standing = [a_row("a")]
    shard = rig.shard()
    assert await shard.once(within=30)
    assert (rig.published(), len(rig.api.requests)) == (["a"], 1)


@virtual_time
async def test_once_goes_on_after_a_failed_commit_without_polling_again() -> None:
    rig = Rig()
    rig.api.standing = [a_row("a")]
    rig.store.faults.append(Fault.LOST)
    assert await rig.shard().once(within=30)
    assert (rig.published(), len(rig.api.requests)) == (["a"], 1)


@virtual_time
async def test_once_says_so_when_kafka_is_away() -> None:
    rig = Rig()
    rig.store.down = True
    assert not await rig.shard().once(within=30)
    assert rig.api.requests == []


@virtual_time
async def test_a_failure_that_is_mended_is_forgotten() -> None:
    rig = Rig()
    rig.store.failures.append(Discard("no"))
    shard: Shard = rig.shard()
    shard.start()
    await elapse(0.001)
    assert failure_of(shard) is Discard
    await elapse(10)
    assert failure_of(shard) is None
    await shard.stop(within=1)


async def a_day_with_troubles(seed: int) -> tuple[list[str], list[str], list[float]]:
    rig = Rig(seed=seed)
    rig.store.faults.extend([Fault.LOST, Fault.UNKNOWN_LANDED] * 3)
    shard = rig.shard()
    shard.start()
    for number in range(20):
        rig.api.answers(Retry("503"))
        rig.api.standing = [a_row(f"hit {one}") for one in range(number)]
        await elapse(INTERVAL)
    await shard.stop(within=1)
    return rig.observer.journal, rig.published(), [request.wall for request in rig.api.requests]


def test_the_same_seed_goes_the_same_way_twice() -> None:
    assert run_virtually(a_day_with_troubles(7)) == run_virtually(a_day_with_troubles(7))
    assert run_virtually(a_day_with_troubles(7)) != run_virtually(a_day_with_troubles(8))
