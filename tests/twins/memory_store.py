"""`producer.core.ports.ShardStore` on a MemoryKafka, with the faults that a real cluster has, on demand."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, auto

from producer.core.fold import Fold
from producer.core.ledger import begun_record, is_begun, owner_record, server_of, shard_of
from producer.errors import Discard, KafkaFailed, Unavailable, Untrusted
from producer.model import Outgoing, Progress, Series, SourceFold, Topic, each
from tests.twins.memory_kafka import MemoryKafka, MemoryProducer

LIMIT = 1_048_588
"""Kafka's own default of max.message.bytes."""
READ_BOUND = 20.0
RECORDS_BETWEEN_YIELDS = 500


class Fault(Enum):
    """How a commit ends badly."""

    LOST = auto()
    """It fails, and nothing of it is ever seen."""
    UNKNOWN_LANDED = auto()
    """It fails, and all of it is there."""
    HANGS = auto()
    """It never answers, and nothing of it is ever seen."""
    HANGS_LANDED = auto()
    """It never answers, and all of it is there."""


class MemoryShardStore:
    """Shard `number`. `faults` and `failures` are used up one by one, by commits and by takes; `down` is the cluster.

    `latency` is what each call takes, in seconds of the loop.
    """

    def __init__(
        self, kafka: MemoryKafka, *, number: int = 0, servers: Sequence[str] = (), base: str = "wolkvox.hits"
    ) -> None:
        self.limit = LIMIT
        self.progress: Progress | None = None
        self.down = False
        self.latency = 0.0
        self.faults: deque[Fault] = deque()
        self.failures: deque[KafkaFailed] = deque()
        self.takes = 0
        self.commits = 0
        self._kafka = kafka
        self._number = number
        self._servers = servers
        self._id = f"{base}{Topic.LEDGER}-{number}"
        self._written = -1
        self._producer: MemoryProducer | None = None

    async def take(self) -> Mapping[str, SourceFold]:
        await self.discard()
        self.takes += 1
        await asyncio.sleep(self.latency)
        if self.failures:
            raise self.failures.popleft()
        if self.down:
            raise Unavailable("taking: no answer")
        self._producer = self._kafka.producer(self._id)
        await self._pass(self._barrier(self._producer))
        sources = self._fold()
        await self._refuse_unknown(self._producer, sources)
        return sources

    async def commit(self, records: Iterable[Outgoing | Series]) -> None:
        if self._producer is None:
            raise Discard("no producer: take the shard first")
        self.commits += 1
        try:
            await self._transaction(self._producer, records)
        except KafkaFailed:
            raise
        except Exception as error:  # noqa: BLE001 (as the real one: whatever it is, the producer is spent)
            raise Discard(f"committing: {type(error).__name__}") from None

    async def discard(self) -> None:
        self._producer = None

    async def _transaction(self, producer: MemoryProducer, records: Iterable[Outgoing | Series]) -> None:
        for number, record in enumerate(each(records), start=1):
            self._noted(
                producer, record, producer.send(record, partition=self._kafka.partition_of(record, shard=self._number))
            )
            if number % RECORDS_BETWEEN_YIELDS == 0:
                await asyncio.sleep(0)
        await asyncio.sleep(self.latency)
        if self.down:
            raise Discard("committing: no answer")
        fault = self.faults.popleft() if self.faults else None
        if fault in (None, Fault.UNKNOWN_LANDED, Fault.HANGS_LANDED):
            producer.commit()
        if fault in (Fault.HANGS, Fault.HANGS_LANDED):
            await asyncio.Event().wait()
        if fault is not None:
            raise Discard(f"committing: {fault.name}")

    def _barrier(self, producer: MemoryProducer) -> int:
        """Commit a record of our own; its offset."""
        record = owner_record(self._number, owner="twin", taken_at="")
        barrier = self._written = producer.send(record, partition=self._number)
        producer.commit()
        return barrier

    def _noted(self, producer: MemoryProducer, record: Outgoing, offset: int) -> None:
        """As the true one: a ledger whose offsets go back is another one."""
        if record.topic is Topic.LEDGER:
            if offset <= self._written:
                producer.abort()  # the broker does it when the transaction's time is over
                raise Untrusted("the ledger went back: it was deleted and made again")
            self._written = offset

    async def _pass(self, barrier: int) -> None:
        """Wait until the own partition is readable past the barrier."""
        await self._reach(self._number, barrier + 1)

    async def _reach(self, number: int, end: int) -> None:
        """Wait until a partition is readable to an offset, and say so if that does not come."""
        loop = asyncio.get_running_loop()
        until = loop.time() + READ_BOUND
        while self._readable(number) < end:
            if loop.time() > until:
                raise Unavailable("no way to the ledger's end: a transaction hangs there, or somebody else writes")
            await asyncio.sleep(0.1)

    def _readable(self, number: int) -> int:
        """How far a reader of ours gets in a partition of the ledger."""
        return self._kafka.last_stable_offset((Topic.LEDGER, number))

    def _fold(self) -> Mapping[str, SourceFold]:
        fold = Fold()
        until, records = self._readable(self._number), self._kafka.committed(Topic.LEDGER, self._number)
        fold.apply((record.key, record.value) for record in records if record.offset < until)
        sources = fold.sources()
        shards = self._kafka.partitions[Topic.LEDGER]
        if misplaced := [server for server in sources if shard_of(server, shards) != self._number]:
            raise Untrusted(f"servers {misplaced} do not belong here: the topic was repartitioned")
        return sources

    async def _refuse_unknown(self, producer: MemoryProducer, sources: Mapping[str, SourceFold]) -> None:
        """As the true one: a cursor elsewhere, no cursor and no mark anywhere although hits were published."""
        unknown = [one for one in self._servers if sources.get(one, SourceFold()).cursor is None]
        if not unknown:
            return
        published = any(self._kafka.high_watermark((Topic.HITS, n)) for n in range(self._kafka.partitions[Topic.HITS]))
        for number in range(self._kafka.partitions[Topic.LEDGER]):
            await self._reach(number, self._kafka.high_watermark((Topic.LEDGER, number)))
        marks = [one for one in self._kafka.committed(Topic.LEDGER) if is_begun(one.key)]
        standing = {(one.key, one.partition): one.value is not None for one in marks}
        known = {server_of(key): number for (key, number), stands in standing.items() if stands}
        if elsewhere := [server for server in unknown if known.get(server, self._number) != self._number]:
            raise Untrusted(f"servers {elsewhere} are in another partition: the topic was repartitioned")
        self._begin(producer, begun=bool(known), published=published)

    def _begin(self, producer: MemoryProducer, *, begun: bool, published: bool) -> None:
        if published and not begun:
            raise Untrusted("the ledger is empty while hits were published: it was deleted")
        if not begun:
            producer.send(begun_record(owner="twin", taken_at=""), partition=self._number)
            producer.commit()
