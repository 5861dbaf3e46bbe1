"""A shard that another holds, or that only a person can mend."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from producer.core.retries import FENCES
from producer.errors import AccessDenied, Fenced, Untrusted
from producer.model import Outgoing, Series
from tests.twins.memory_kafka import MemoryKafka
from tests.twins.memory_store import Fault, MemoryShardStore
from tests.twins.virtual_time import virtual_time
from tests.unit.core.rig import INTERVAL, Rig, elapse
from tests.unit.core.samples import SHARD, a_row

LONG = 10 * INTERVAL + 10
"""Ten intervals and the jitter."""


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

    async def commit(self, records: Iterable[Outgoing | Series]) -> None:
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
    # However far apart their commits are: at the default interval four fences take twenty minutes.
    assert all(rig.observer.fences for rig in rigs)


@virtual_time
async def test_a_shard_that_is_given_up_while_it_is_taken_fences_nobody() -> None:
    kafka = MemoryKafka()
    one, other = Rig(kafka=kafka), Rig(kafka=kafka)
    one.store.latency = 1.5
    given_up, kept = one.shard(), other.shard()
    given_up.start()
    await elapse(0.5)
    stopping = asyncio.create_task(given_up.stop(within=2.0, last_try=False))
    kept.start()
    await elapse(LONG)
    await stopping
    assert (one.store.takes, other.store.takes, other.observer.commit_failures) == (1, 1, [])
    await kept.stop(within=1)


@virtual_time
async def test_a_fence_now_and_then_is_no_quarrel() -> None:
    """Paused each hour, by a machine that is backed up for instance, and fenced by whoever had the shard meanwhile."""
    rig = Rig()
    shard = rig.shard()
    shard.start()
    for number in range(10):
        rig.api.standing = [a_row(f"hit {number}")]
        await elapse(3600)
        await MemoryShardStore(rig.kafka, number=SHARD).take()
    await elapse(3600)
    assert (len(rig.observer.commit_failures), rig.observer.fences) == (10, [])
    await shard.stop(within=1)


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
