"""Where a ShardStore lives: in memory, or on a real broker. What the contract needs besides the store itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from producer.clock import Clock, SystemClock
from producer.core.ports import Past, ShardStore
from producer.kafka.census import Census
from producer.kafka.connection import Connection
from producer.kafka.past import HitsTopic
from producer.kafka.store import KafkaShardStore
from producer.kafka.topics import Topics, TopicSetup
from producer.model import Outgoing, Topic
from producer.settings.sections import Kafka
from tests.twins.memory_kafka import MemoryKafka, MemoryProducer
from tests.twins.memory_past import MemoryPast
from tests.twins.memory_store import MemoryShardStore

Codec = Literal["none", "gzip", "snappy", "lz4", "zstd"]
Read = tuple[bytes | None, bytes | None]


class Stranger(Protocol):
    """A producer that is not the store: another program, or a predecessor that was killed."""

    async def send(self, *records: Outgoing, partition: int) -> None:
        """Write to its topic within an open transaction."""

    async def commit(self) -> None:
        """End the transaction."""


class World(Protocol):
    """One cluster with the five topics of one base name."""

    def store(self, number: int, servers: Sequence[str] = ()) -> ShardStore:
        """One instance's store of a shard."""
        ...

    def past(self) -> Past:
        """The hits topic as a witness."""
        ...

    async def stranger(self, transactional_id: str, topic: Topic = Topic.LEDGER) -> Stranger:
        """Somebody with that id, `shard-N` for the shards' own, who writes to a topic."""
        ...

    async def read(self, topic: Topic) -> list[Read]:
        """Keys and values that a read_committed reader gets, those of one partition in order."""
        ...

    async def headers(self, topic: Topic) -> list[Sequence[tuple[str, bytes]]]:
        """The same records' headers."""
        ...

    async def close(self) -> None:
        """Let everything go."""


class MemoryWorld:
    """A MemoryKafka."""

    def __init__(self) -> None:
        self._kafka = MemoryKafka()

    def store(self, number: int, servers: Sequence[str] = ()) -> ShardStore:
        return MemoryShardStore(self._kafka, number=number, servers=servers)

    def past(self) -> Past:
        return MemoryPast(self._kafka)

    async def stranger(self, transactional_id: str, topic: Topic = Topic.LEDGER) -> Stranger:
        own = transactional_id.replace("shard-", "wolkvox.hits.ledger-")
        return _MemoryStranger(self._kafka.producer(own))

    async def read(self, topic: Topic) -> list[Read]:
        return [(record.key, record.value) for record in self._kafka.committed(topic)]

    async def headers(self, topic: Topic) -> list[Sequence[tuple[str, bytes]]]:
        return [record.headers for record in self._kafka.committed(topic)]

    async def close(self) -> None:
        pass


class _MemoryStranger:
    def __init__(self, producer: MemoryProducer) -> None:
        self._producer = producer

    async def send(self, *records: Outgoing, partition: int) -> None:
        for record in records:
            self._producer.send(record, partition=partition)

    async def commit(self) -> None:
        self._producer.commit()


class KafkaWorld:
    """A real broker; `open` first."""

    def __init__(self, bootstrap: str, topic: str, *, compression: Codec = "none", clock: Clock | None = None) -> None:
        self._bootstrap = bootstrap
        self._clock = clock or SystemClock()
        settings = Kafka(bootstrap_servers=bootstrap, topic=topic, replication_factor=1, compression=compression)
        self._connection = Connection(settings, client_id="contract")
        self._setup: TopicSetup
        self._topics: Topics
        self._stores: list[ShardStore] = []
        self._producers: list[Any] = []

    async def open(self) -> None:
        """Make the topics."""
        self._setup = TopicSetup(self._connection)
        self._topics = await self._setup.ready()

    def store(self, number: int, servers: Sequence[str] = ()) -> ShardStore:
        store = KafkaShardStore(
            number=number,
            servers=servers,
            setup=self._setup,
            connection=self._connection,
            census=Census(connection=self._connection, setup=self._setup),
            clock=self._clock,
            frames={},
        )
        self._stores.append(store)
        return store

    def past(self) -> Past:
        return HitsTopic(connection=self._connection, setup=self._setup, clock=self._clock)

    async def stranger(self, transactional_id: str, topic: Topic = Topic.LEDGER) -> Stranger:
        own = transactional_id.replace("shard-", f"{self._topics.name(Topic.LEDGER)}-")
        producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, transactional_id=own)
        self._producers.append(producer)
        await producer.start()
        return _KafkaStranger(producer, self._topics.name(topic))

    async def read(self, topic: Topic) -> list[Read]:
        return [(record.key, record.value) for record in await self._records(topic)]

    async def headers(self, topic: Topic) -> list[Sequence[tuple[str, bytes]]]:
        return [record.headers for record in await self._records(topic)]

    async def close(self) -> None:
        for store in self._stores:
            await store.discard()
        for producer in self._producers:
            await asyncio.wait({asyncio.ensure_future(producer.stop())}, timeout=5)

    async def _records(self, topic: Topic) -> list[Any]:
        where = [TopicPartition(self._topics.name(topic), number) for number in range(self._topics.partitions[topic])]
        async with self._consumer("read_uncommitted") as asking, self._consumer("read_committed") as reading:
            # The markers of a commit are written after it is answered: only the high watermark is behind them.
            ends = await asking.end_offsets(where)
            reading.assign(where)
            await reading.seek_to_beginning()
            found: list[Any] = []
            while [one for one in where if await reading.position(one) < ends[one]]:
                for records in (await reading.getmany(timeout_ms=500)).values():
                    found.extend(records)
            return found

    @asynccontextmanager
    async def _consumer(self, isolation: str) -> AsyncIterator[Any]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            isolation_level=isolation,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()


class _KafkaStranger:
    def __init__(self, producer: Any, topic: str) -> None:
        self._producer = producer
        self._topic = topic
        self._began = False

    async def send(self, *records: Outgoing, partition: int) -> None:
        if not self._began:
            await self._producer.begin_transaction()
            self._began = True
        for record in records:
            await self._producer.send_and_wait(self._topic, record.value, record.key, partition)

    async def commit(self) -> None:
        await self._producer.commit_transaction()
