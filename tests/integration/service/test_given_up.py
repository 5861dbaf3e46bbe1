"""Whatever is given up, at whatever word, leaves nothing behind: no connection, no task, no further word."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing, suppress
from random import Random
from typing import Any

import psutil
import pytest

from producer.clock import SystemClock
from producer.core.heartbeat import Heartbeat
from producer.core.ledger import cursor_record, shard_of
from producer.errors import AccessDenied, Unavailable
from producer.kafka.access.inquiry import Inquiry
from producer.kafka.access.probe import explained, probe
from producer.kafka.census import Census
from producer.kafka.connection import Connection
from producer.kafka.membership import Membership
from producer.kafka.reader import PartitionReader
from producer.kafka.reset import reset_source
from producer.kafka.store import KafkaShardStore
from producer.kafka.tail import BEGINNING, tail
from producer.kafka.topics import TopicSetup
from producer.model import Cursor, Outgoing, Topic
from producer.settings.sections import Kafka
from tests.integration.service.frail import FrailKafka
from tests.integration.service.tap import Tap

pytestmark = pytest.mark.kafka

SERVER = "0042"
T = 1_768_782_812.0
PATIENCE = 15.0
"""Seconds for what must happen at once on a machine that is not busy."""

Piece = Callable[[Connection, TopicSetup], Coroutine[Any, Any, None]]


async def commits(connection: Connection, setup: TopicSetup) -> None:
    """Takes a shard, commits, and lets it go."""
    store = KafkaShardStore(
        number=shard_of(SERVER, setup.topics.shards),
        servers=[SERVER],
        setup=setup,
        connection=connection,
        census=Census(connection=connection, setup=setup),
        clock=SystemClock(),
    )
    try:
        await store.take()
        await store.commit([Outgoing(Topic.HITS, b"1", b"{}", []), cursor_record(SERVER, Cursor(T, None))])
    finally:
        await store.discard()


async def joins(connection: Connection, setup: TopicSetup) -> None:
    """Joins the group, is given all shards, and leaves."""
    assigned = asyncio.Event()
    member = Membership(
        connection=connection,
        topic=setup.topics.name(Topic.LEDGER),
        loaded=[0],
        on_assigned=lambda _: assigned.set(),
        on_failure=lambda *_: None,
        rng=Random(1),
        heartbeat=Heartbeat(),
    )
    staying = asyncio.create_task(member.run())
    try:
        await assigned.wait()
    finally:
        staying.cancel()
        await asyncio.wait({staying})


async def looks_at_topics(connection: Connection, setup: TopicSetup) -> None:
    """As at each start."""
    assert await TopicSetup(connection).ready() == setup.topics


async def reads(connection: Connection, setup: TopicSetup) -> None:
    """The ledger, whole."""
    reader = PartitionReader(connection, setup.topics.name(Topic.LEDGER))
    async for _ in reader.parts(*range(setup.topics.shards)):
        pass


async def follows(connection: Connection, setup: TopicSetup) -> None:
    """The hits, up to their end."""
    async with aclosing(tail(connection, setup.topics.name(Topic.HITS), since=BEGINNING, follow=False)) as records:
        async for _ in records:
            pass


async def resets(connection: Connection, setup: TopicSetup) -> None:
    """A source."""
    await reset_source(connection, SERVER, clock=SystemClock())


async def asks_why(connection: Connection, setup: TopicSetup) -> None:
    """After a failure."""
    await explained(Unavailable("test"), connection)


async def asks_each(connection: Connection, setup: TopicSetup) -> None:
    """Two brokers behind one address."""
    async with Inquiry(connection) as cluster:
        await cluster.answers(cluster.bootstrap * 2)


async def takes_it_for_tls(connection: Connection, setup: TopicSetup) -> None:
    """The listener is in plain text, which a second look finds out."""
    settings = connection.settings.model_copy(update={"security_protocol": "SSL"})
    with pytest.raises(AccessDenied, match="speaks no TLS"):
        await probe(Connection(settings, client_id="test"))


PIECES = [commits, joins, looks_at_topics, reads, follows, resets, asks_why, asks_each, takes_it_for_tls]


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.__name__)
async def test_what_is_given_up_at_any_word_leaves_nothing(
    piece: Piece, tap: Tap, behind_tap: Connection, setup: TopicSetup
) -> None:
    """Given up at the first word that gets no answer, at the second, at the third, until it comes to its end."""
    given_up = 0
    while await given_up_at(given_up, tap, lambda: piece(behind_tap, setup)):
        given_up += 1
    assert given_up


async def given_up_at(number: int, tap: Tap, work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
    """Let work go on until it waits for an answer behind `number` others, and give it up; whether it came to that."""
    process, tasks = psutil.Process(), asyncio.all_tasks()
    descriptors = process.num_fds()
    tap.swallow(after=number)
    working, swallowing = asyncio.create_task(work()), asyncio.create_task(tap.swallowing())
    await asyncio.wait({working, swallowing}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    unfinished = not working.done()
    for task in (working, swallowing):
        task.cancel()
    await asyncio.wait({working, swallowing}, timeout=PATIENCE)
    if not working.cancelled():
        working.result()
    said = tap.words
    with suppress(TimeoutError):
        await asyncio.wait_for(tap.deserted(), PATIENCE)
    left = [task for task in asyncio.all_tasks() - tasks if task is not asyncio.current_task()]
    assert (tap.open, process.num_fds() - descriptors, left) == (0, 0, []), f"left behind answer {number}"
    assert tap.words == said
    tap.forward()
    return unfinished


@pytest.fixture
def behind_tap(frail: FrailKafka, topic: str) -> Connection:
    """The cluster as it is seen through the tap."""
    return Connection(_settings(frail.proxied, topic), client_id="test")


@pytest.fixture
async def setup(frail: FrailKafka, topic: str) -> TopicSetup:
    """Topics with a hit, made and looked at on the direct way."""
    connection = Connection(_settings(frail.bootstrap, topic), client_id="test")
    direct = TopicSetup(connection)
    await direct.ready()
    await commits(connection, direct)
    return direct


def _settings(bootstrap: str, topic: str) -> Kafka:
    return Kafka(bootstrap_servers=bootstrap, topic=topic, group_id=topic, session_timeout=6.0, partitions=3)
