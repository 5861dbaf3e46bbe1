"""The owned shards, in step with the group's word."""

from __future__ import annotations

import asyncio

import pytest

from producer.core.fleet import Fleet, by_shard
from producer.core.ledger import shard_of
from producer.core.shard import Shard
from producer.errors import Untrusted
from tests.twins.memory_kafka import MemoryKafka
from tests.twins.memory_store import Fault, MemoryShardStore
from tests.twins.virtual_time import virtual_time
from tests.unit.core.rig import INTERVAL, Rig, elapse
from tests.unit.core.samples import a_row

SHARDS = 12
SERVERS = {number: next(f"{n:04}" for n in range(9999) if shard_of(f"{n:04}", SHARDS) == number) for number in range(4)}
LOADED = frozenset(SERVERS)


async def a_heartbeat() -> None:
    """The group's word is fresh after one."""
    await elapse(1.5)


class Instance:
    """A fleet over rigs, one a shard; sources live as long as the instance."""

    def __init__(self, kafka: MemoryKafka | None = None) -> None:
        self.kafka = kafka or MemoryKafka()
        self.rigs = {number: Rig(kafka=self.kafka, servers=(server,)) for number, server in SERVERS.items()}
        for number, rig in self.rigs.items():
            rig.api.standing = [a_row(f"hit of {number}")]
            rig.store = MemoryShardStore(self.kafka, number=number)
        self.made: list[int] = []
        self.fleet = Fleet(make=self._make)
        self.task: asyncio.Task[None] | None = None

    async def assigned(self, *shards: int) -> None:
        """The group's word, and a moment to follow it."""
        if self.task is None:
            self.task = asyncio.create_task(self.fleet.run())
        self.fleet.assign(frozenset(shards), loaded=LOADED)
        await elapse(1)

    def asked(self, shard: int) -> int:
        return len(self.rigs[shard].api.requests)

    async def end(self) -> None:
        await self.fleet.close(within=1)
        assert self.task is not None
        self.task.cancel()
        await asyncio.wait({self.task})

    def _make(self, number: int) -> Shard:
        self.made.append(number)
        return self.rigs[number].shard(number=number, settled=a_heartbeat)


@virtual_time
async def test_assigned_shards_with_sources_are_taken_and_empty_ones_cost_nothing() -> None:
    one = Instance()
    await one.assigned(0, 1, 7, 11)
    assert (set(one.fleet.owned), one.made) == ({0, 1}, [0, 1])
    assert one.fleet.assigned == frozenset({0, 1, 7, 11})
    assert sorted(one.rigs[0].published()) == ["hit of 0", "hit of 1"]
    await one.end()


@virtual_time
async def test_a_kept_shard_goes_on_undisturbed_through_a_rebalance() -> None:
    one = Instance()
    await one.assigned(0, 1)
    kept = one.fleet.owned[0]
    await one.assigned(0, 2)
    assert one.fleet.owned[0] is kept
    assert (one.rigs[0].store.takes, one.asked(0), set(one.fleet.owned)) == (1, 1, {0, 2})
    await one.end()


@virtual_time
async def test_the_same_word_again_changes_nothing() -> None:
    one = Instance()
    for _ in range(3):
        await one.assigned(0)
    assert one.made == [0]
    await one.end()


@virtual_time
async def test_a_shard_given_up_is_polled_no_more() -> None:
    one = Instance()
    await one.assigned(0, 1)
    await one.assigned(1)
    await elapse(2 * INTERVAL + 10)
    assert (one.asked(0), one.asked(1)) == (1, 3)
    assert one.rigs[0].observer.gone == [(0, 0)]
    await one.end()


@virtual_time
async def test_a_shard_that_comes_back_is_taken_again_and_tells_nothing_twice() -> None:
    one = Instance()
    await one.assigned(0)
    await one.assigned()
    await one.assigned(0)
    assert (one.made, one.rigs[0].published()) == ([0, 0], ["hit of 0"])
    await one.end()


@virtual_time
async def test_one_that_is_slow_to_give_up_holds_up_no_shard_that_is_taken() -> None:
    one = Instance()
    await one.assigned(0)
    one.rigs[0].store.faults.append(Fault.HANGS)
    one.rigs[0].api.standing = [a_row("late")]
    await elapse(INTERVAL + 10)
    one.fleet.assign(frozenset({1}), loaded=LOADED)
    await elapse(0.1)
    assert one.asked(1) == 1
    await elapse(10)
    assert set(one.fleet.owned) == {1}
    await one.end()


@virtual_time
async def test_a_shard_that_fails_for_good_ends_the_fleet() -> None:
    one = Instance()
    one.rigs[1].store.failures.append(Untrusted("repartitioned"))
    await one.assigned(0, 1)
    assert one.task is not None
    assert one.task.done()
    with pytest.raises(Untrusted):
        one.task.result()
    await one.fleet.close(within=1)


@virtual_time
async def test_two_instances_hand_shards_over_and_tell_each_hit_once() -> None:
    kafka = MemoryKafka()
    one, other = Instance(kafka), Instance(kafka)
    await one.assigned(0, 1, 2, 3)
    await other.assigned()
    shown: list[str] = []
    words: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        ((0, 1), (2, 3)),
        ((2, 3), (0, 1)),
        ((), (0, 1, 2, 3)),
        ((0, 3), (1, 2)),
    ]
    for mine, theirs in words:
        shown.append(f"then {mine}")
        for number in SERVERS:
            rows = [a_row(f"hit of {number}"), *(a_row(f"{number}, {which}") for which in shown[-2:])]
            one.rigs[number].api.standing = other.rigs[number].api.standing = rows
        await asyncio.gather(one.assigned(*mine), other.assigned(*theirs))
        await elapse(INTERVAL)
    told = one.rigs[0].published()
    assert len(told) == len(set(told)) == 4 * 5
    await one.end()
    await other.end()


@virtual_time
async def test_after_the_close_nothing_is_taken_any_more() -> None:
    one = Instance()
    await one.assigned(0)
    await one.fleet.close(within=1)
    await one.assigned(0, 1, 2)
    await one.end()
    assert one.made == [0]


@pytest.mark.parametrize(("word", "told"), [({0, 1}, ["left"]), ({1}, [])])
@virtual_time
async def test_a_fenced_shard_is_taken_once_more_during_the_close_if_the_group_still_says_ours(
    word: set[int], told: list[str]
) -> None:
    """Else it is a zombie's: its next heartbeat says who is the owner now."""
    one = Instance()
    await one.assigned(0, 1)
    before = one.rigs[0].published()
    await MemoryShardStore(one.kafka, number=0).take()
    one.rigs[0].api.standing = [a_row("left")]
    while not one.rigs[0].observer.commit_failures:
        await elapse(1)
    closing = asyncio.create_task(one.fleet.close(within=3))
    await elapse(0.1)
    one.fleet.assign(frozenset(word), loaded=LOADED)
    assert await closing == 1 - len(told)
    assert one.rigs[0].published() == [*before, *told]
    await one.end()


@virtual_time
async def test_closing_commits_what_waits_and_says_what_stayed() -> None:
    one = Instance()
    await one.assigned(0, 1)
    one.rigs[0].store.down = True
    one.rigs[0].api.standing = [a_row("left")]
    await elapse(INTERVAL + 10)
    assert await one.fleet.close(within=1) == 1
    await one.end()


def test_servers_are_grouped_by_their_shard() -> None:
    assert by_shard({"0042": 2, "0043": 1, "0044": 2}) == {2: ["0042", "0044"], 1: ["0043"]}
