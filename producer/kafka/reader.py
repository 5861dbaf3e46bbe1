"""Reading a topic's partitions from the beginning to their end, as of now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition

from producer.errors import Unavailable
from producer.kafka.bounds import bounded
from producer.kafka.clients import running
from producer.kafka.connection import Connection
from producer.kafka.failures import named

T = TypeVar("T")

FETCH_BYTES = 2 * 1024 * 1024
"""A partition's share of one fetch: some 16,000 ids, which aiokafka unpacks in one go and holds the loop meanwhile."""


AT_ONCE = 2_000
"""Records that a caller gets at once; if he yields to the loop in between, the next fetch comes in meanwhile."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some records of one partition, which is read from offset `begin` to `end`."""

    records: Sequence[Any]
    begin: int
    end: int

    @property
    def share(self) -> float:
        """The share of the partition's offsets that is read with these, 0 to 1."""
        read: int = self.records[-1].offset + 1 - self.begin
        return read / (self.end - self.begin)


class PartitionReader:
    """Reads partitions of one topic without a group; what aborted transactions left is never seen."""

    def __init__(self, connection: Connection, topic: str) -> None:
        self._connection = connection
        self._topic = topic
        self._patience = connection.request_timeout
        """Seconds for a question, and without progress after which a read gives up."""

    async def parts(self, *partitions: int) -> AsyncGenerator[Part, None]:
        """All committed records of some partitions up to their high watermarks, in parts of one partition each.

        The end is asked for with read_uncommitted: under read_committed it is the last stable offset, and behind an
        open transaction a partition would seem empty. Raises Unavailable if a position can't reach its end.
        """
        async with self._consumer("read_uncommitted") as consumer:
            ends = await self._asked(consumer.end_offsets(self._wanted(partitions)))
        async with aclosing(self._read({where.partition: end for where, end in ends.items() if end > 0})) as parts:
            async for part in parts:
                yield part

    def parts_past(self, partition: int, offset: int) -> AsyncGenerator[Part, None]:
        """All committed records of a partition until a record that we wrote at `offset` is passed.

        No broker's word on where the end is counts: a leader that was deposed without hearing of it answers with its
        old one. What he never got he can't serve, so the reading stands still there. Raises Unavailable then.
        """
        return self._read({partition: offset + 1})

    async def holds_records(self, partitions: int) -> bool:
        """Whether any of the topic's `partitions` partitions holds a record, committed or not."""
        wanted = self._wanted(range(partitions))
        async with self._consumer("read_uncommitted") as consumer:
            begins = await self._asked(consumer.beginning_offsets(wanted))
            ends = await self._asked(consumer.end_offsets(wanted))
        return any(ends[where] > begins[where] for where in wanted)

    async def _read(self, ends: Mapping[int, int]) -> AsyncGenerator[Part, None]:
        if not ends:
            return
        async with self._consumer("read_committed") as reading:
            reading.assign(self._wanted(ends))
            await self._asked(reading.seek_to_beginning())
            begins: dict[TopicPartition, int] = {}
            moved = asyncio.get_running_loop().time()
            while waiting := [where for where in self._wanted(ends) if await self._is_behind(reading, where, ends)]:
                got = await reading.getmany(*waiting, timeout_ms=500)
                now = asyncio.get_running_loop().time()
                moved = now if got else moved
                if now - moved > self._patience:
                    raise self._stuck(waiting[0].partition, ends)
                for where, records in got.items():
                    begin = begins.setdefault(where, records[0].offset)
                    for start in range(0, len(records), AT_ONCE):
                        yield Part(records[start : start + AT_ONCE], begin, ends[where.partition])

    async def _is_behind(self, reading: Any, where: TopicPartition, ends: Mapping[int, int]) -> bool:
        # Without a bound it would wait for as long as the partition has no leader.
        position = await self._asked(reading.position(where))
        return bool(position < ends[where.partition])

    def _wanted(self, partitions: Iterable[int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, partition) for partition in partitions]

    async def _asked(self, question: Coroutine[Any, Any, T]) -> T:
        with named(f"reading {self._topic}"):
            return await bounded(question, seconds=self._patience, what=f"reading {self._topic}")

    def _stuck(self, partition: int, ends: Mapping[int, int]) -> Unavailable:
        return Unavailable(
            f"{self._topic} partition {partition}: no way to its end at {ends[partition]}: a transaction hangs there, "
            "or somebody else writes, or its leader is cut off from the other brokers"
        )

    @asynccontextmanager
    async def _consumer(self, isolation: str) -> AsyncIterator[Any]:
        with named(f"reading {self._topic}"):
            consumer = AIOKafkaConsumer(
                **self._connection.options(),
                isolation_level=isolation,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                max_partition_fetch_bytes=FETCH_BYTES,
                # Its first question always meets metadata without the topic, and waits that long before it asks again.
                retry_backoff_ms=25,
            )
            async with running(consumer, seconds=self._patience, what=f"connecting to read {self._topic}"):
                yield consumer
