"""What every ShardStore promises, in memory and on a real broker alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from producer.core.ledger import Outcome, changed_key, changed_record, cursor_record, shard_of, tombstone
from producer.errors import Discard, Fenced, KafkaFailed, Untrusted
from producer.model import Cursor, Outgoing, Topic, Version
from tests.contracts.worlds import KafkaWorld, MemoryWorld, World
from tests.twins.told import OBSERVED, a_told, a_told_dead, ids_in

SERVER = "0042"
SHARD = shard_of(SERVER, 12)


@pytest.fixture(scope="session", params=["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
def bootstrap(request: pytest.FixtureRequest) -> str | None:
    """The real broker's address, or None for the one in memory; of the session, as the broker is."""
    return None if request.param == "memory" else str(request.getfixturevalue("kafka"))


@pytest.fixture
async def world(bootstrap: str | None, topic: str) -> AsyncIterator[World]:
    """A cluster in memory, and a real one."""
    if bootstrap is None:
        yield MemoryWorld()
        return
    real = KafkaWorld(bootstrap, topic)
    await real.open()
    try:
        yield real
    finally:
        await real.close()


def an_event(key: str, value: bytes | None = b"{}") -> Outgoing:
    return Outgoing(Topic.HITS, key.encode(), value, [("ce_id", key.encode())])


async def test_an_empty_ledger_knows_no_source(world: World) -> None:
    assert await world.store(SHARD, [SERVER]).take() == {}


async def test_what_was_committed_is_in_the_next_fold(world: World) -> None:
    store = world.store(SHARD)
    await store.take()
    cursor = Cursor(1_768_780_800.25, 1_768_780_801.5)
    await store.commit([a_told("a"), a_told_dead("9f86"), cursor_record(SERVER, cursor)])
    fold = (await world.store(SHARD).take())[SERVER]
    assert (ids_in(fold.hits), ids_in(fold.dead), fold.cursor) == ({"a": OBSERVED}, {"9f86": OBSERVED}, cursor)


async def test_a_fold_sees_its_own_commits_in_their_order(world: World) -> None:
    store = world.store(SHARD)
    await store.take()
    await store.commit([a_told("a"), a_told("b"), cursor_record(SERVER, Cursor(1.0, None))])
    await store.commit([tombstone(a_told("a").key), cursor_record(SERVER, Cursor(2.0, None))])
    fold = (await store.take())[SERVER]
    assert (set(ids_in(fold.hits)), fold.cursor) == ({"b"}, Cursor(2.0, None))


async def test_a_change_has_its_topic_and_is_in_the_next_fold_until_its_hit_leaves(world: World) -> None:
    store, told, version = world.store(SHARD), a_told("a"), Version(b"1234", OBSERVED)
    await store.take()
    change = Outgoing(Topic.CHANGES, b"a", b'{"conn_id":"a"}', [("ce_id", b"0042/a/x")])
    await store.commit([told, change, changed_record(SERVER, "a", version, outcome=Outcome.PUBLISHED)])
    assert await world.read(Topic.CHANGES) == [(b"a", b'{"conn_id":"a"}')]
    assert (await store.take())[SERVER].changed == {"a": version}
    await store.commit([tombstone(told.key), tombstone(changed_key(SERVER, "a")), a_told("b")])
    assert (await store.take())[SERVER].changed == {}


async def test_other_sources_of_the_partition_are_in_the_fold_and_left_alone(world: World) -> None:
    other = next(f"{number:04}" for number in range(9999) if shard_of(f"{number:04}", 12) == SHARD)
    store = world.store(SHARD, [SERVER])
    await store.take()
    await store.commit([a_told("a"), a_told("b", server=other)])
    assert set(await store.take()) == {SERVER, other}


async def test_records_reach_their_topics_with_key_value_and_headers(world: World) -> None:
    store = world.store(SHARD)
    await store.take()
    gap = Outgoing(Topic.COVERAGE, SERVER.encode(), b'{"kind":"unpolled"}', [("ce_type", b"wolkvox.coverage-gap")])
    await store.commit([an_event("a", b'{"conn_id":"a"}'), gap, a_told("a")])
    assert await world.read(Topic.HITS) == [(b"a", b'{"conn_id":"a"}')]
    assert await world.read(Topic.COVERAGE) == [(b"0042", b'{"kind":"unpolled"}')]
    assert [list(headers) for headers in await world.headers(Topic.HITS)] == [[("ce_id", b"a")]]


async def test_thousands_of_records_are_one_transaction(world: World) -> None:
    store = world.store(SHARD)
    await store.take()
    await store.commit(record for number in range(5_000) for record in (an_event(str(number)), a_told(str(number))))
    assert len(await world.read(Topic.HITS)) == 5_000
    assert len(ids_in((await store.take())[SERVER].hits)) == 5_000


async def test_a_transaction_of_nothing_is_fine(world: World) -> None:
    store = world.store(SHARD)
    await store.take()
    await store.commit([])
    await store.commit([an_event("a")])
    assert await world.read(Topic.HITS) == [(b"a", b"{}")]


async def test_a_transaction_that_breaks_while_it_is_made_leaves_nothing(world: World) -> None:
    store = world.store(SHARD)
    await store.take()

    def breaking() -> Iterator[Outgoing]:
        yield an_event("a")
        yield a_told("a")
        raise ZeroDivisionError

    with pytest.raises(Discard):
        await store.commit(breaking())
    assert await store.take() == {}
    await store.commit([an_event("b")])
    assert await world.read(Topic.HITS) == [(b"b", b"{}")]


async def test_a_commit_before_the_take_is_refused(world: World) -> None:
    with pytest.raises(Discard):
        await world.store(SHARD).commit([an_event("a")])


async def test_a_commit_after_the_discard_is_refused(world: World) -> None:
    store = world.store(SHARD)
    await store.take()
    await store.discard()
    await store.discard()
    with pytest.raises(Discard):
        await store.commit([an_event("a")])
    assert await world.read(Topic.HITS) == []


async def test_a_zombie_cannot_publish(world: World) -> None:
    zombie, owner = world.store(SHARD), world.store(SHARD)
    await zombie.take()
    await zombie.commit([an_event("a"), a_told("a")])
    await owner.take()
    with pytest.raises(Fenced):
        await zombie.commit([an_event("b"), a_told("b")])
    await owner.commit([an_event("c"), a_told("c")])
    assert {key for key, _ in await world.read(Topic.HITS)} == {b"a", b"c"}
    assert set(ids_in((await owner.take())[SERVER].hits)) == {"a", "c"}


async def test_a_fence_is_called_so_wherever_a_commit_meets_it(world: World) -> None:
    """Its producer may have heard of it before: whoever takes a fence for another failure takes the shard back."""
    zombie = world.store(SHARD)
    await zombie.take()
    await world.store(SHARD).take()
    for _ in range(2):
        with pytest.raises(Fenced):
            await zombie.commit([an_event("a"), a_told("a")])


async def test_whoever_was_fenced_may_take_the_shard_back(world: World) -> None:
    first, second = world.store(SHARD), world.store(SHARD)
    await first.take()
    await second.take()
    await second.commit([a_told("a")])
    assert set(ids_in((await first.take())[SERVER].hits)) == {"a"}
    with pytest.raises(KafkaFailed):
        await second.commit([a_told("b")])
    await first.commit([a_told("c")])
    assert set(ids_in((await first.take())[SERVER].hits)) == {"a", "c"}


async def test_shards_do_not_fence_each_other(world: World) -> None:
    one, other = world.store(SHARD), world.store((SHARD + 1) % 12)
    await one.take()
    await other.take()
    await one.commit([an_event("a")])
    await other.commit([an_event("b")])
    assert {key for key, _ in await world.read(Topic.HITS)} == {b"a", b"b"}


async def test_taking_a_shard_aborts_what_its_predecessor_left_open(world: World) -> None:
    predecessor = await world.stranger(f"shard-{SHARD}")
    await predecessor.send(a_told("a"), partition=SHARD)
    assert await world.store(SHARD).take() == {}


async def test_the_fold_waits_for_a_transaction_of_somebody_else(world: World) -> None:
    store = world.store(SHARD)
    await store.take()
    await store.commit([a_told("a")])
    somebody = await world.stranger("somebody-else")
    await somebody.send(a_told("b"), partition=SHARD)
    taking = asyncio.ensure_future(store.take())
    done, _ = await asyncio.wait({taking}, timeout=1)
    assert not done
    await somebody.commit()
    assert set(ids_in((await taking)[SERVER].hits)) == {"a", "b"}


async def test_a_source_in_a_partition_that_is_not_its_own_is_refused(world: World) -> None:
    somebody = await world.stranger("somebody-else")
    wrong = (SHARD + 1) % 12
    await somebody.send(a_told("a"), partition=wrong)
    await somebody.commit()
    with pytest.raises(Untrusted, match="repartitioned"):
        await world.store(wrong).take()


async def test_a_new_source_that_another_partition_knows_is_refused(world: World) -> None:
    somebody = await world.stranger("somebody-else")
    await somebody.send(cursor_record(SERVER, Cursor(1.0, None)), partition=(SHARD + 1) % 12)
    await somebody.commit()
    with pytest.raises(Untrusted, match="repartitioned"):
        await world.store(SHARD, [SERVER]).take()


async def test_a_take_leaves_a_barrier_that_the_fold_has_passed(world: World) -> None:
    await world.store(SHARD).take()
    await world.store(SHARD).take()
    assert [key for key, _ in await world.read(Topic.LEDGER)] == [b"owner/%d" % SHARD] * 2


async def test_an_honest_beginning_is_marked_before_its_first_event(world: World) -> None:
    store = world.store(SHARD, [SERVER])
    assert await store.take() == {}
    assert b"owner/begun" in {key for key, _ in await world.read(Topic.LEDGER)}
    await store.commit([an_event("a"), a_told("a")])
    another = (SHARD + 1) % 12
    beside = next(f"{number:04}" for number in range(9999) if shard_of(f"{number:04}", 12) == another)
    assert await world.store(another, [beside]).take() == {}
    assert set(await world.store(SHARD, [SERVER]).take()) == {SERVER}


async def test_an_empty_ledger_under_published_hits_is_refused(world: World) -> None:
    stranger = world.store(SHARD)
    await stranger.take()
    await stranger.commit([an_event("a")])
    with pytest.raises(Untrusted, match="empty while"):
        await world.store(SHARD, [SERVER]).take()


async def test_a_new_source_starts_beside_a_known_one(world: World) -> None:
    store = world.store(SHARD)
    await store.take()
    await store.commit([an_event("a"), cursor_record(SERVER, Cursor(1.0, None))])
    another = (SHARD + 1) % 12
    beside = next(f"{number:04}" for number in range(9999) if shard_of(f"{number:04}", 12) == another)
    assert await world.store(another, [beside]).take() == {}


async def test_a_source_that_was_reset_in_a_wrong_partition_starts_anew(world: World) -> None:
    somebody = await world.stranger("somebody-else")
    forgotten = Outgoing(Topic.LEDGER, b"cursor/0042", None, [])
    await somebody.send(cursor_record(SERVER, Cursor(1.0, None)), forgotten, partition=(SHARD + 1) % 12)
    await somebody.commit()
    assert await world.store(SHARD, [SERVER]).take() == {}


async def test_a_record_of_a_newer_format_is_refused(world: World) -> None:
    somebody = await world.stranger("somebody-else")
    newer = Outgoing(Topic.LEDGER, b"told/0042/a", b'{"v":3,"observed_at":"x"}', [])
    await somebody.send(newer, partition=SHARD)
    await somebody.commit()
    with pytest.raises(Untrusted, match="newer"):
        await world.store(SHARD).take()


async def test_a_record_may_have_some_size(world: World) -> None:
    assert world.store(SHARD).limit >= 100_000
