"""Records into batches, straight: 8 times faster than `await send()` per record (measured on aiokafka 0.14).

Events go to the partition that Kafka's own clients would choose (murmur2 of the key), so that a reader in Java or
Kafka Streams can join on it. The PyPI package murmurhash2 does it in C; aiokafka's own is 30 times slower.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaProducer
from murmurhash2 import murmurhash2

from producer.kafka.bounds import retrieve
from producer.kafka.topics import Topics
from producer.model import Outgoing, Topic

SEED = 0x9747B28C
"""Kafka's, see org.apache.kafka.common.utils.Utils.murmur2."""
RECORDS_BETWEEN_YIELDS = 4_000


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key as Kafka's DefaultPartitioner chooses it."""
    hashed: int = murmurhash2(key, SEED)
    return (hashed & 0x7FFFFFFF) % partitions


class Batches:
    """The batches of one transaction; `timestamp` in ms is that of all its records.

    Never the hit's own time: a record 2 h ahead of the broker's clock is refused and would fail every poll.
    """

    def __init__(self, producer: AIOKafkaProducer, topics: Topics, *, shard: int, timestamp: int) -> None:
        self._producer = producer
        self._topics = topics
        self._shard = shard
        self._timestamp = timestamp
        self._open: dict[Topic, list[Any]] = {topic: [None] * count for topic, count in topics.partitions.items()}
        self._sent: list[asyncio.Future[Any]] = []

    async def add(self, records: Iterable[Outgoing]) -> None:
        """Append every record, sending the batches that are full."""
        opened, timestamp, shard = self._open, self._timestamp, self._shard
        hits, ledger = Topic.HITS, Topic.LEDGER
        of_hits, of_ledger = opened.get(hits, []), opened.get(ledger, [])  # a reset has the ledger alone
        # A cold start appends 120,000 of them: what can be looked up outside the loop, is.
        for number, (topic, key, value, headers) in enumerate(records, start=1):
            if topic is ledger:
                batches, partition = of_ledger, shard
            else:
                batches = of_hits if topic is hits else opened[topic]
                partition = (murmurhash2(key, SEED) & 0x7FFFFFFF) % len(batches)
            batch = batches[partition]
            if batch is None or batch.append(key=key, value=value, timestamp=timestamp, headers=headers) is None:
                batch = await self._next(topic, partition)
                batch.append(key=key, value=value, timestamp=timestamp, headers=headers)
            if number % RECORDS_BETWEEN_YIELDS == 0:
                await asyncio.sleep(0)

    async def delivered(self) -> None:
        """Send what is left and wait for every batch; raises the first error.

        commit_transaction() commits although a batch failed, so this comes before it.
        """
        for topic, batches in self._open.items():
            for partition in range(len(batches)):
                await self._send(topic, partition)
        await asyncio.gather(*self._sent)

    async def _next(self, topic: Topic, partition: int) -> Any:
        await self._send(topic, partition)
        batch = self._open[topic][partition] = self._producer.create_batch()
        return batch

    async def _send(self, topic: Topic, partition: int) -> None:
        batch, self._open[topic][partition] = self._open[topic][partition], None
        if batch is None:
            return
        future = await self._producer.send_batch(batch, self._topics.name(topic), partition=partition)
        # Also those behind a failed one: a fenced producer fails them all.
        future.add_done_callback(retrieve)
        self._sent.append(future)
