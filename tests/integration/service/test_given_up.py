"""Whatever is given up, at whatever word, leaves nothing behind: no connection, no task, no further word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from contextlib import aclosing, asynccontextmanager, suppress
from itertools import count
from random import Random
from typing import Any

import psutil
import pytest

from producer.clock import SystemClock
from producer.core.heartbeat import Heartbeat
from producer.core.ledger import cursor_record, shard_of
from producer.errors import AccessDenied, KafkaFailed, Unavailable
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
        frames={},
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
    async with during(member.run()):
        await assigned.wait()


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


@pytest.mark.parametrize("piece", [reads, follows], ids=lambda piece: piece.__name__)
async def test_a_reading_gives_up_by_itself_wherever_nobody_answers(
    piece: Piece, tap: Tap, behind_tap: Connection, setup: TopicSetup
) -> None:
    """aiokafka waits for a position without a bound, while a partition has no leader for instance."""
    hasty = Connection(behind_tap.settings, client_id="test", request_timeout=0.5, patience=0.5)
    for number in count():
        tap.swallow(after=number)
        try:
            async with asyncio.timeout(PATIENCE):
                await piece(hasty, setup)
        except Unavailable:
            continue
        break
    async with asyncio.timeout(PATIENCE):
        await tap.deserted()
    assert number > 5


class Silenced(Membership):
    """A member whose network goes when a rebalance begins."""

    def __init__(self, tap: Tap, **options: Any) -> None:
        super().__init__(**options)
        self._tap = tap

    async def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        if revoked:
            self._tap.swallow(after=0)
        await super().on_partitions_revoked(revoked)


async def test_a_rebalance_that_never_ends_is_told_and_left(
    frail: FrailKafka, tap: Tap, behind_tap: Connection, setup: TopicSetup
) -> None:
    """aiokafka gives neither records nor an error while it looks for a coordinator that is gone."""
    assigned, failed = asyncio.Event(), asyncio.Event()
    errors: list[KafkaFailed] = []

    def tell(error: KafkaFailed, wait: float) -> None:
        errors.append(error)
        failed.set()

    silenced = Silenced(
        tap,
        connection=behind_tap,
        topic=setup.topics.name(Topic.LEDGER),
        loaded=[0],
        on_assigned=lambda _: assigned.set(),
        on_failure=tell,
        rng=Random(1),
        heartbeat=Heartbeat(),
        join_bound=1.0,
    )
    other = Connection(_settings(frail.bootstrap, setup.topics.base), client_id="other")
    async with during(silenced.run()), asyncio.timeout(2 * PATIENCE):
        await assigned.wait()
        async with during(joins(other, setup)):
            await failed.wait()
    assert "no answer within" in str(errors[0])


@asynccontextmanager
async def during(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Work that goes on within the block and is given up at its end."""
    working = asyncio.create_task(work)
    try:
        yield
    finally:
        working.cancel()
        await asyncio.wait({working})


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
