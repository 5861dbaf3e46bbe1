"""One owned shard's life: take, restore, poll, commit; after any failure of Kafka, again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from producer.core.ledger import cursor_record, shard_of
from producer.core.shard import Shard
from producer.errors import Discard, Retry, TooLarge, TooSlow, Unavailable, Untrusted
from producer.model import Cursor, Outgoing, Series, Topic, each
from tests.twins.memory_kafka import MemoryKafka
from tests.twins.memory_store import Fault, MemoryShardStore
from tests.twins.told import a_told, ids_in
from tests.twins.virtual_time import virtual_time
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


def failure_of(shard: Shard) -> type[Exception] | None:
    return None if shard.failure is None else type(shard.failure)


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
    somebody_wrote(kafka, a_told("a"))
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
async def test_entries_of_unknown_sources_are_told_and_left_alone() -> None:
    stranger = next(f"{number:04}" for number in range(9999) if shard_of(f"{number:04}", 12) == SHARD)
    kafka = MemoryKafka()
    somebody_wrote(kafka, a_told("x", server=stranger), cursor_record(stranger, Cursor(1.0, None)))
    rig = Rig(kafka=kafka)
    shard = rig.shard()
    shard.start()
    await elapse(3 * 3600)
    await shard.stop(within=1)
    assert rig.observer.unknown == [[stranger]]
    assert set(ids_in((await MemoryShardStore(kafka, number=SHARD).take())[stranger].hits)) == {"x"}


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
    assert rig.kafka.committed(Topic.LEDGER)[-1].key == b"cursor/0042"
    assert "a" not in ids_in((await rig.store.take())[SERVER].hits)


class Narrow(MemoryShardStore):
    """Whose transactions have time for so many records of the ledger."""

    most = 2_000

    async def commit(self, records: Iterable[Outgoing | Series]) -> None:
        everything = list(each(records))
        if sum(record.topic is Topic.HITS for record in everything) > self.most:
            raise TooSlow("no answer within 45 s")
        await super().commit(everything)


@virtual_time
async def test_a_transaction_that_does_not_fit_its_time_is_halved_until_it_does_and_grows_again() -> None:
    rig = Rig()
    store = Narrow(rig.kafka, number=SHARD)
    rig.api.standing = [a_row(str(number)) for number in range(10_000)]
    shard = rig.shard(store=store)
    shard.start()
    await elapse(120)
    assert len(rig.published()) == len(set(rig.published())) == 10_000
    told = [commit[SERVER].published for commit in rig.observer.commits]
    assert told[0] == 1_250
    assert told[1] == 1_250 + 1_250 // 8
    assert [type(error) for error in rig.observer.commit_failures[:3]] == [TooSlow] * 3
    await shard.stop(within=1)


@virtual_time
async def test_a_backlog_keeps_no_neighbour_waiting() -> None:
    """What does not fit goes later, of the source that has most: the others' hits are told with its first part."""
    busy, other = [server for server in map("{:04}".format, range(9999)) if shard_of(server, 12) == SHARD][:2]
    rig = Rig(servers=(busy, other))
    store = Narrow(rig.kafka, number=SHARD)
    rig.apis[busy].standing = [a_row(f"busy {number}") for number in range(10_000)]
    rig.apis[other].standing = [a_row("other")]
    shard = rig.shard(store=store)
    shard.start()
    await elapse(120)
    first = next(commit for commit in rig.observer.commits if sum(told.published for told in commit.values()) > 1)
    assert first[other].published == 1
    await shard.stop(within=1)


@virtual_time
async def test_a_ledger_without_the_cursor_that_this_process_committed_is_not_believed() -> None:
    rig = Rig()
    rig.api.standing = [a_row("a")]
    shard = rig.shard()
    task = shard.start()
    await elapse(10)
    rig.kafka.lose_ledger()
    rig.kafka.producer(f"wolkvox.hits.ledger-{SHARD}")  # somebody takes the id, so that the ledger is read again
    rig.api.standing = [a_row("b")]
    await elapse(400)
    assert task.done()
    with pytest.raises(Untrusted, match="lacks the cursor of server 0042"):
        task.result()


class Growing(MemoryShardStore):
    """Whose limit is smaller after a refusal."""

    refused = False

    async def commit(self, records: Iterable[Outgoing | Series]) -> None:
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


@virtual_time
async def test_a_zombie_told_by_the_group_to_go_takes_nothing_back() -> None:
    rig, fresh = Rig(), asyncio.Event()

    async def settled() -> None:
        await fresh.wait()

    shard = rig.shard(settled=settled)
    shard.start()
    await elapse(1)
    owner = MemoryShardStore(rig.kafka, number=SHARD)
    await owner.take()
    rig.api.standing = [a_row("a")]
    await elapse(LONG)
    fresh.set()
    await shard.stop(within=2, last_try=False)
    assert rig.store.takes == 1
    await owner.commit([])
