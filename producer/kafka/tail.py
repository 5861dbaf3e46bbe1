"""Reading topics from a point in time on, as anybody downstream would: no group, committed records only."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition

from producer.errors import Untrusted
from producer.frame import unframed
from producer.kafka.access.inquiry import Inquiry
from producer.kafka.aiokafka_errors import named
from producer.kafka.bounds import bounded
from producer.kafka.clients import close, new_consumer, start
from producer.kafka.connection import Connection
from producer.kafka.reader import PAUSE_MS, read_up_to

BEGINNING = 0.0
"""For `since`: everything that the topics still hold."""


@dataclass(frozen=True, slots=True)
class Tailed:
    """One committed record and where it is; `timestamp` in Unix seconds, headers in their order.

    The value is the JSON alone, whether it came in a schema registry's frame or without.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp: float


async def tail(
    connection: Connection, *topics: str, since: float | None = None, follow: bool = True
) -> AsyncGenerator[Tailed, None]:
    """The committed records of some topics, in order within each partition, until cancelled.

    `since` is in Unix seconds: records made earlier are left out; None starts with what comes from now on. Without
    `follow` it ends where the topics end now, and waits for what is undecided before that. Partitions that are added
    later are not read. To let the connection go at once, iterate inside `contextlib.aclosing`.

    Raises Untrusted for a topic that is not there (and doesn't create it), AccessDenied, Unavailable if the cluster
    does not answer at first, or if the end can't be reached; once it follows, it waits for a cluster that is away.
    """
    partitions = await _partitions(connection, topics)
    async with _consumer(connection) as consumer:
        consumer.assign(partitions)
        patience, what = connection.request_timeout, "finding where to start"
        with named(what):
            await bounded(_seek(consumer, partitions, since), seconds=2 * patience, what=what)
            ends = None if follow else await _high_watermarks(connection, partitions)
        oldest = (since or 0.0) * 1000
        with named("reading"):
            async for record in _follow(consumer) if ends is None else _up_to(consumer, ends, patience=patience):
                if record.timestamp >= oldest:
                    yield _tailed(record)


async def _partitions(connection: Connection, topics: Sequence[str]) -> list[TopicPartition]:
    async with Inquiry(connection) as cluster:
        found = (await cluster.metadata(topics)).topics
    if missing := [topic for topic in topics if found[topic].missing or found[topic].forbidden]:
        raise Untrusted(f"no such topic, or no permission to describe it: {', '.join(missing)}")
    return [TopicPartition(topic, number) for topic in topics for number in range(found[topic].partitions)]


async def _high_watermarks(
    connection: Connection, partitions: Sequence[TopicPartition]
) -> Mapping[TopicPartition, int]:
    """Where the partitions end: who asks for committed records alone is told where an open transaction begins."""
    patience, what = connection.request_timeout, "finding where to end"
    async with _consumer(connection, isolation="read_uncommitted") as asking:
        ends: dict[TopicPartition, int] = await bounded(asking.end_offsets(partitions), seconds=patience, what=what)
        return ends


@asynccontextmanager
async def _consumer(connection: Connection, *, isolation: str = "read_committed") -> AsyncIterator[Any]:
    consumer = new_consumer(connection, isolation=isolation)
    with named("connecting to Kafka"):
        await start(consumer, seconds=connection.request_timeout, what="connecting to Kafka")
    try:
        yield consumer
    finally:
        await close(consumer)


async def _seek(consumer: Any, partitions: Sequence[TopicPartition], since: float | None) -> None:
    if since == BEGINNING:
        await consumer.seek_to_beginning()
        return
    # The ends first: a record that comes between the two questions is then found by its time.
    starts = await consumer.end_offsets(partitions)
    if since is not None:
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, int(since * 1000)))
        starts |= {where: at.offset for where, at in found.items() if at is not None}
    for where, offset in starts.items():
        consumer.seek(where, offset)


async def _follow(consumer: Any) -> AsyncIterator[Any]:
    while True:
        for records in (await consumer.getmany(timeout_ms=PAUSE_MS)).values():
            for record in records:
                yield record


async def _up_to(consumer: Any, ends: Mapping[TopicPartition, int], *, patience: float) -> AsyncIterator[Any]:
    async for where, records in read_up_to(consumer, ends, patience=patience):
        for record in records:
            if record.offset < ends[where]:
                yield record


def _tailed(record: Any) -> Tailed:
    return Tailed(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value and unframed(record.value),
        headers=tuple(record.headers),
        timestamp=record.timestamp / 1000,
    )
