"""Reading a topic's partitions from the beginning to their end, as of now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from producer.errors import Unavailable
from producer.kafka.bounds import bounded
from producer.kafka.connection import Connection
from producer.kafka.failures import named

BOUND = 20.0
"""Seconds without progress after which a read gives up."""
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

    async def parts(self, *partitions: int) -> AsyncIterator[Part]:
        """All committed records of some partitions up to their high watermarks, in parts of one partition each.

        The end is asked for with read_uncommitted: under read_committed it is the last stable offset, and behind an
        open transaction a partition would seem empty. Raises Unavailable if a position can't reach its end.
        """
        wanted = [TopicPartition(self._topic, partition) for partition in partitions]
        async with self._consumer("read_uncommitted") as asking, self._consumer("read_committed") as reading:
            ends = {where: end for where, end in (await asking.end_offsets(wanted)).items() if end > 0}
            if not ends:
                return
            reading.assign(list(ends))
            await reading.seek_to_beginning()
            begins: dict[TopicPartition, int] = {}
            moved = asyncio.get_running_loop().time()
            while waiting := await _behind(reading, ends):
                got = await reading.getmany(*waiting, timeout_ms=500)
                now = asyncio.get_running_loop().time()
                moved = now if got else moved
                if now - moved > BOUND:
                    raise Unavailable(
                        f"{self._topic} partition {waiting[0].partition}: no way to its end at {ends[waiting[0]]}: "
                        "a transaction hangs there, or somebody else writes"
                    )
                for where, records in got.items():
                    begin = begins.setdefault(where, records[0].offset)
                    for start in range(0, len(records), AT_ONCE):
                        yield Part(records[start : start + AT_ONCE], begin, ends[where])

    async def holds_records(self, partitions: int) -> bool:
        """Whether any of the topic's `partitions` partitions holds a record, committed or not."""
        wanted = [TopicPartition(self._topic, partition) for partition in range(partitions)]
        async with self._consumer("read_uncommitted") as consumer:
            begins, ends = await consumer.beginning_offsets(wanted), await consumer.end_offsets(wanted)
        return any(ends[where] > begins[where] for where in wanted)

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
            try:
                await bounded(consumer.start(), seconds=BOUND, what=f"connecting to read {self._topic}")
                yield consumer
            finally:
                await bounded(consumer.stop(), seconds=2.0, what="closing a reader")


async def _behind(consumer: Any, ends: Mapping[TopicPartition, int]) -> list[TopicPartition]:
    return [where for where, end in ends.items() if await consumer.position(where) < end]
