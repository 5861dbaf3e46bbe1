"""Kafka without us: finished records, appended to batches and committed; what the cold path is measured against."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer

from producer.kafka.batches import BATCH_BYTES, partition_of
from producer.kafka.topics import Topics
from producer.model import Outgoing, Series, Topic, each

BATCH = BATCH_BYTES
"""As the service's own."""


class Bare(NamedTuple):
    """One record, ready: nothing is left to be worked out."""

    where: tuple[str, int]
    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]


def bare(records: Iterable[Outgoing | Series], topics: Topics, *, shard: int) -> list[Bare]:
    """A transaction's records with their partitions."""
    return [
        Bare((topics.name(topic), _partition(topic, key, topics, shard)), key, value, headers)
        for topic, key, value, headers in each(records)
    ]


@asynccontextmanager
async def producer(bootstrap: str, transactional_id: str | None = None, **options: Any) -> AsyncIterator[Any]:
    """A plain producer of aiokafka."""
    one = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=transactional_id, **options)
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


async def commit(sender: Any, records: Sequence[Bare]) -> None:
    """All of them in one transaction, as bare batches."""
    await sender.begin_transaction()
    timestamp = int(time.time() * 1000)
    batches: dict[tuple[str, int], Any] = {}
    sent = []
    for where, key, value, headers in records:
        batch = batches.get(where)
        if batch is None or batch.append(key=key, value=value, timestamp=timestamp, headers=headers) is None:
            if batch is not None:
                sent.append(await sender.send_batch(batch, where[0], partition=where[1]))
            batch = batches[where] = sender.create_batch()
            batch.append(key=key, value=value, timestamp=timestamp, headers=headers)
    for (topic, partition), batch in batches.items():
        sent.append(await sender.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*sent)
    await sender.commit_transaction()


def _partition(topic: Topic, key: bytes, topics: Topics, shard: int) -> int:
    return shard if topic is Topic.LEDGER else partition_of(key, topics.partitions[topic])
