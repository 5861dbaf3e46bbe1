"""A shard let go, given up and taken back; and one polled once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from producer.core.shard import Shard
from producer.errors import Fenced, Retry
from producer.model import SourceFold
from tests.twins.memory_store import Fault, MemoryShardStore
from tests.twins.virtual_time import run_virtually, virtual_time
from tests.unit.core.rig import INTERVAL, Rig, elapse
from tests.unit.core.samples import SHARD, a_row

LONG = 10 * INTERVAL + 10
"""Ten intervals and the jitter."""


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


class Slow(MemoryShardStore):
    """Whose take comes to its end while the shard is being stopped."""

    async def take(self) -> Mapping[str, SourceFold]:
        await asyncio.sleep(0)
        return await super().take()


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


async def fenced_with_a_row_that_waits(rig: Rig) -> Shard:
    """Another group's owner took the id, and ours asks its own group, whose word comes 1.5 s after the stop."""
    asked = asyncio.Event()

    async def settled() -> None:
        asked.set()
        await elapse(1.5)

    shard = rig.shard(settled=settled)
    shard.start()
    await elapse(1)
    await MemoryShardStore(rig.kafka, number=SHARD).take()
    rig.api.standing = [a_row("a")]
    await asked.wait()
    assert isinstance(shard.failure, Fenced)
    assert shard.pending == 1
    return shard


@virtual_time
async def test_stopping_while_it_backs_off_from_a_fence_tries_once_more() -> None:
    """Whoever fenced it need not poll what waits here: what has left the report is nowhere else."""
    rig = Rig()
    shard = await fenced_with_a_row_that_waits(rig)
    await shard.stop(within=3)
    assert (rig.published(), rig.observer.gone) == (["a"], [(SHARD, 0)])


@virtual_time
async def test_a_shard_of_which_the_group_says_meanwhile_that_it_went_elsewhere_is_not_tried_once_more() -> None:
    rig = Rig()
    shard = await fenced_with_a_row_that_waits(rig)
    stopping = asyncio.create_task(shard.stop(within=3))
    await elapse(1)
    shard.forgo()
    await stopping
    assert (rig.published(), rig.store.takes, rig.observer.gone) == ([], 1, [(SHARD, 1)])


@virtual_time
async def test_the_last_try_of_one_that_is_fenced_once_more_ends_in_time() -> None:
    rig = Rig()
    shard = await fenced_with_a_row_that_waits(rig)
    rig.store.failures.append(Fenced("taking: fenced"))
    await shard.stop(within=3)
    assert (rig.published(), rig.observer.gone) == ([], [(SHARD, 1)])


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
