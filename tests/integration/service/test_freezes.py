"""A broker that freezes again and again: after each time as many descriptors and tasks as after the first.

The suite has a few freezes, `make freezes` fifty.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from random import Random

import psutil
import pytest

from producer.clock import SystemClock
from producer.core.heartbeat import Heartbeat
from producer.errors import KafkaFailed, Unavailable
from producer.kafka.census import Census
from producer.kafka.connection import Connection
from producer.kafka.membership import Membership
from producer.kafka.store import KafkaShardStore
from producer.kafka.topics import TopicSetup
from producer.model import Outgoing, Topic
from producer.settings.sections import Kafka
from tests.integration.service.frail import FrailKafka
from tests.integration.service.tap import Tap

FREEZES = int(os.environ.get("FREEZES", "4"))
PATIENCE = 30.0
"""Seconds for what takes one or two."""
MUCH = [Outgoing(Topic.HITS, b"%d" % number, bytes(20_000), []) for number in range(1500)]
"""30 MB: more than kernels keep for a connection."""

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(60 + 15 * FREEZES)]


# First, since a broker that was frozen fifty times takes minutes to have leaders for another 400 partitions.
async def test_what_a_producer_gave_up_itself_ends_with_it(frail: FrailKafka, tap: Tap, setup: TopicSetup) -> None:
    """After a time-out it closes a connection whose broker has not read half of what it was sent."""
    store = shard(Connection(settings(frail.proxied, setup.topics.base), client_id="test", request_timeout=1.0), setup)
    await store.take()
    async with giving_up(store), asyncio.timeout(PATIENCE):
        words = tap.words
        await tap.until(lambda: tap.words > words + 10)
        tap.deafen()
        accepted = tap.accepted
        await tap.until(lambda: tap.accepted > accepted + 2)
    assert connections_to(frail.proxy_port) == 0


async def test_a_shard_that_is_given_up_at_each_freeze_leaves_nothing(
    frail: FrailKafka, tap: Tap, setup: TopicSetup
) -> None:
    """Nothing on the wire either, as long as the broker is frozen and when it goes on."""
    store = shard(Connection(settings(frail.proxied, setup.topics.base), client_id="test"), setup)
    left: list[tuple[int, int]] = []
    for _ in range(FREEZES):
        await store.take()
        async with giving_up(store), asyncio.timeout(PATIENCE):
            words = tap.words
            await tap.until(lambda words=words: tap.words > words + 10)  # type: ignore[misc]
            frail.suspend()
        async with asyncio.timeout(PATIENCE):
            await tap.deserted()
        left.append((psutil.Process().num_fds(), len(asyncio.all_tasks())))
        frail.resume()
    assert set(left) == {left[0]}


async def test_a_member_of_the_group_leaves_nothing_of_itself_at_each_freeze(
    frail: FrailKafka, tap: Tap, setup: TopicSetup
) -> None:
    """Neither connections nor tasks, from when it is told until it joins again."""
    left: list[tuple[int, Sequence[str]]] = []
    waits: list[float] = []
    failed, assigned = asyncio.Event(), asyncio.Event()

    def tell(error: KafkaFailed, wait: float) -> None:
        left.append((connections_to(frail.proxy_port), tasks()))
        waits.append(wait)
        failed.set()

    connection = Connection(
        settings(frail.proxied, setup.topics.base), client_id="test", request_timeout=1.0, patience=0.3
    )
    member = Membership(
        connection=connection,
        topic=setup.topics.name(Topic.LEDGER),
        loaded=[0],
        on_assigned=lambda _: assigned.set(),
        on_failure=tell,
        rng=Random(1),
        heartbeat=Heartbeat(),
        farewell=0.2,
    )
    staying = asyncio.create_task(member.run())
    for _ in range(FREEZES):
        async with asyncio.timeout(PATIENCE):
            await assigned.wait()
            failed.clear()
            frail.suspend()
            await failed.wait()
            assigned.clear()
            frail.resume()
    staying.cancel()
    await asyncio.wait({staying}, timeout=PATIENCE)
    assert {sockets for sockets, _ in left} == {0}
    assert all(running == left[0][1] for _, running in left)
    # Each time it had been a member in between: a wait that grew from freeze to freeze would never end.
    assert max(waits) <= 2.0


@asynccontextmanager
async def giving_up(store: KafkaShardStore) -> AsyncIterator[None]:
    """A large transaction, in hand within the block and given up at its end."""
    committing = asyncio.create_task(store.commit(MUCH))
    try:
        yield
    finally:
        committing.cancel()
        await asyncio.wait({committing})
        await store.discard()


def shard(connection: Connection, setup: TopicSetup) -> KafkaShardStore:
    """A shard whose ledger is read with the usual patience."""
    patient = Connection(connection.settings, client_id="test")
    return KafkaShardStore(
        number=0,
        servers=[],
        setup=setup,
        connection=connection,
        census=Census(connection=patient, setup=setup),
        clock=SystemClock(),
        frames={},
    )


def settings(bootstrap: str, topic: str) -> Kafka:
    return Kafka(bootstrap_servers=bootstrap, topic=topic, group_id=topic, session_timeout=0.4, partitions=100)


def connections_to(port: int) -> int:
    """How many connections of this process lead there."""
    ends = psutil.Process().net_connections("tcp4")
    return sum(bool(one.raddr) and one.raddr.port == port for one in ends)


def tasks() -> Sequence[str]:
    """What runs here, without the network in between, which hears of an end a moment later."""
    names = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]  # type: ignore[union-attr]
    return sorted(name for name in names if not name.startswith("Tap."))


@pytest.fixture
async def setup(frail: FrailKafka, topic: str) -> TopicSetup:
    """Topics of so many partitions that one request can hold 12 MB."""
    direct = TopicSetup(Connection(settings(frail.bootstrap, topic), client_id="test"))
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(Unavailable):  # a broker may not have heard yet of all that it was asked to make
                await direct.ready()
                return direct
