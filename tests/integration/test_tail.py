from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from producer.demo.broker import EmbeddedKafka
from producer.errors import Unavailable, Untrusted
from producer.frame import frame
from producer.kafka.connection import Connection
from producer.kafka.tail import BEGINNING, Tailed, tail
from producer.settings.sections import Kafka

pytestmark = pytest.mark.kafka

PARTITIONS = 3
T = 1_768_782_812.0


async def test_everything_from_the_beginning_with_key_headers_and_time(kafka: str, topic: str) -> None:
    async with _producer(kafka, topic) as producer, producer.transaction():
        await producer.send_and_wait(topic, b"v", b"k", 1, int(T * 1000), [("a", b"1"), ("a", b"2"), ("b", None)])
    (record,) = await _all(kafka, topic)
    assert record == Tailed(topic, 1, 0, b"k", b"v", (("a", b"1"), ("a", b"2"), ("b", None)), T)


async def test_a_value_is_told_without_a_registrys_frame(kafka: str, topic: str) -> None:
    async with _producer(kafka, topic) as producer, producer.transaction():
        for value in (frame(7) + b"{}", b"{}", None):
            await producer.send_and_wait(topic, value, b"k", 0)
    assert [record.value for record in await _all(kafka, topic)] == [b"{}", b"{}", None]


async def test_several_topics_are_read_as_one(kafka: str, topic: str) -> None:
    other = f"{topic}.coverage"
    for name in (topic, other):
        async with _producer(kafka, name) as producer, producer.transaction():
            await producer.send_and_wait(name, name.encode())
    records = [record async for record in tail(_connection(kafka), topic, other, since=BEGINNING, follow=False)]
    assert {(record.topic, record.value) for record in records} == {(topic, topic.encode()), (other, other.encode())}


async def test_what_was_aborted_is_not_seen(kafka: str, topic: str) -> None:
    async with _producer(kafka, topic) as producer:
        for value, committed in ((b"aborted", False), (b"committed", True), (b"aborted again", False)):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, value, partition=0)
            await (producer.commit_transaction() if committed else producer.abort_transaction())
    assert [record.value for record in await _all(kafka, topic)] == [b"committed"]


async def test_what_was_committed_behind_an_open_transaction_is_waited_for(kafka: str, topic: str) -> None:
    """A shard's that was killed hides what the others have told, until the broker aborts it."""
    async with _producer(kafka, topic) as killed, _producer(kafka, topic, who=f"{topic}-2") as producer:
        await killed.begin_transaction()
        await killed.send_and_wait(topic, b"open", partition=0)
        async with producer.transaction():
            await producer.send_and_wait(topic, b"told", partition=0)
        reading = asyncio.ensure_future(_all(kafka, topic))
        await asyncio.wait({reading}, timeout=2.0)
        await killed.abort_transaction()
        assert [record.value for record in await reading] == [b"told"]


async def test_an_empty_topic_ends_at_once(kafka: str, topic: str) -> None:
    async with _producer(kafka, topic):
        assert await _all(kafka, topic) == []


async def test_since_leaves_out_what_was_made_earlier(kafka: str, topic: str) -> None:
    # The record of the last moment is behind a younger one: a partition is in the order of commits, not of time.
    moments = [T, T + 60, T + 3600, T + 30]
    async with _producer(kafka, topic) as producer:
        for moment in moments:
            async with producer.transaction():
                await producer.send_and_wait(topic, b"v", partition=0, timestamp_ms=int(moment * 1000))
    assert [record.timestamp for record in await _all(kafka, topic, since=T + 60)] == [T + 60, T + 3600]
    assert [record.timestamp for record in await _all(kafka, topic, since=T + 7200)] == []


async def test_following_shows_what_comes_and_nothing_before(kafka: str, topic: str) -> None:
    async with _producer(kafka, topic) as producer:
        async with producer.transaction():
            await producer.send_and_wait(topic, b"before", partition=0)
        seen: asyncio.Queue[Tailed] = asyncio.Queue()
        async with _following(kafka, topic, seen):
            async with producer.transaction():
                await producer.send_and_wait(topic, b"next", partition=2)
            assert (await asyncio.wait_for(seen.get(), 20)).value == b"next"
            assert seen.empty()


async def test_a_missing_topic_is_named_and_not_created() -> None:
    # Kafka's own default, off in the embedded broker: asking about a topic creates it.
    with EmbeddedKafka(properties={"auto.create.topics.enable": "true"}) as broker:
        for _ in range(2):
            with pytest.raises(Untrusted, match=r"no such topic.*nobody"):
                await _all(broker.bootstrap, "nobody.made.this")


async def test_without_a_cluster_it_says_so() -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9: nothing listens there"):
        await _all("127.0.0.1:9", "t")


@asynccontextmanager
async def _following(kafka: str, topic: str, seen: asyncio.Queue[Tailed]) -> AsyncIterator[None]:
    """Follows beside the test, from now on: a marker of this function's own says when "now" is."""
    started = asyncio.Event()

    async def follow() -> None:
        async with aclosing(tail(_connection(kafka), topic)) as records:
            async for record in records:
                if record.value == b"marker":
                    started.set()
                elif started.is_set() or record.value == b"before":
                    seen.put_nowait(record)

    following = asyncio.create_task(follow())
    try:
        await _mark(kafka, topic, started)
        yield
    finally:
        following.cancel()
        await asyncio.wait({following})


async def _mark(kafka: str, topic: str, started: asyncio.Event) -> None:
    """Markers until one is seen: where it starts from is known only then."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    try:
        async with asyncio.timeout(20):
            while not started.is_set():
                await producer.send_and_wait(topic, b"marker", partition=1)
                with suppress(TimeoutError):
                    await asyncio.wait_for(started.wait(), 0.2)
    finally:
        await producer.stop()


@asynccontextmanager
async def _producer(kafka: str, topic: str, *, who: str | None = None) -> AsyncIterator[Any]:
    """A transactional producer for a topic that is made for it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=who or topic)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def _all(kafka: str, topic: str, *, since: float = BEGINNING) -> list[Tailed]:
    return [record async for record in tail(_connection(kafka), topic, since=since, follow=False)]


def _connection(kafka: str) -> Connection:
    return Connection(Kafka(bootstrap_servers=kafka), client_id="test")
