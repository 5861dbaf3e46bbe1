"""What the hits topic tells of what was told, in memory and on a real broker alike."""

from __future__ import annotations

import asyncio
from time import time

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from producer.core.ledger import shard_of
from producer.model import Outgoing, Topic
from tests.contracts.test_shard_store import bootstrap, world  # noqa: F401 (the same worlds)
from tests.contracts.worlds import KafkaWorld, World

SERVER, OTHER = "0042", "0049"
SHARD = shard_of(SERVER, 12)
EARLIER = 0.0
PATIENCE = 20.0


def a_hit(key: str, *, server: str = SERVER) -> Outgoing:
    headers = [("ce_source", f"/wolkvox/{server}/hits_last_hour".encode()), ("ce_id", f"{server}/{key}".encode())]
    return Outgoing(Topic.HITS, key.encode(), b"{}", headers)


async def test_it_knows_the_committed_hits_of_a_server_and_of_no_other(world: World) -> None:  # noqa: F811
    store = world.store(SHARD)
    await store.take()
    await store.commit([a_hit(f"own-{number}") for number in range(30)])
    await store.commit([a_hit("theirs", server=OTHER)])
    told = await world.past().told(SERVER, EARLIER)
    assert (told.ids, told.begins) == ({f"own-{number}" for number in range(30)}, None)
    assert (await world.past().told(OTHER, EARLIER)).ids == {"theirs"}


async def test_it_knows_nothing_of_an_empty_topic(world: World) -> None:  # noqa: F811
    told = await world.past().told(SERVER, EARLIER)
    assert (told.ids, told.begins) == (set(), None)


async def test_what_was_aborted_was_never_told(world: World) -> None:  # noqa: F811
    killed = await world.stranger(f"shard-{SHARD}", Topic.HITS)
    await killed.send(a_hit("never"), partition=0)
    store = world.store(SHARD)
    await store.take()
    await store.commit([a_hit("told")])
    assert (await world.past().told(SERVER, EARLIER)).ids == {"told"}


async def test_it_waits_for_what_lies_behind_anothers_open_transaction(world: World) -> None:  # noqa: F811
    """The last stable offset would be in front of it, and a reader that stops there would publish it again."""
    stranger = await world.stranger("somebody", Topic.HITS)
    for partition in range(12):
        await stranger.send(a_hit(f"undecided-{partition}", server=OTHER), partition=partition)
    store = world.store(SHARD)
    await store.take()
    await store.commit([a_hit("told")])
    asking = asyncio.ensure_future(world.past().told(SERVER, EARLIER))
    await asyncio.wait({asking}, timeout=2.0)
    await stranger.commit()
    assert (await asking).ids == {"told"}


@pytest.mark.kafka
async def test_it_says_since_when_it_is_whole(kafka: str, topic: str) -> None:
    """Somebody, or retention, deleted what was told first."""
    real = KafkaWorld(kafka, topic)
    await real.open()
    try:
        store = real.store(SHARD)
        await store.take()
        await store.commit([a_hit(f"gone-{number}") for number in range(100)])
        places = [TopicPartition(topic, partition, -1) for partition in range(12)]
        admin = AdminClient({"bootstrap.servers": kafka})
        for deleted in admin.delete_records(places).values():
            await asyncio.to_thread(deleted.result, PATIENCE)
        told = await real.past().told(SERVER, EARLIER)
        retention = 7 * 86_400.0
        assert told.ids == set()
        assert told.begins == pytest.approx(time() - retention, abs=120)
        await store.commit([a_hit(f"new-{number}") for number in range(100)])
        again = await real.past().told(SERVER, EARLIER)
        assert again.ids == {f"new-{number}" for number in range(100)}
        assert again.begins == pytest.approx(time(), abs=120)
        assert (await real.past().told(SERVER, time() + 3600)).ids == set()
    finally:
        await real.close()
