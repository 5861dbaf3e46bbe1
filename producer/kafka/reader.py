"""Reading a topic's partitions from the beginning to their end, as of now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from aiokafka import TopicPartition

from producer.errors import Unavailable
from producer.kafka.aiokafka_errors import named
from producer.kafka.bounds import bounded
from producer.kafka.clients import FETCH_BYTES, new_consumer, running
from producer.kafka.connection import Connection

T = TypeVar("T")

AT_ONCE = 2_000
"""Records that a caller gets at once; if he yields to the loop in between, the next fetch comes in meanwhile."""
PAUSE_MS = 500
"""How long one fetch waits for records; a new one ends the wait at once."""


NOWHERE: Mapping[TopicPartition, int] = MappingProxyType({})


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

    async def parts(self, *partitions: int, since: float | None = None) -> AsyncGenerator[Part, None]:
        """All committed records of some partitions up to their high watermarks, in parts of one partition each.

        `since` is in Unix seconds: of what was written before, by the topic's own time, most is left out.

        The end is asked for with read_uncommitted: under read_committed it is the last stable offset, and behind an
        open transaction a partition would seem empty. Raises Unavailable if a position can't reach its end.
        """
        async with self._consumer("read_uncommitted") as consumer:
            wanted = self._wanted(partitions)
            ends = await self._asked(consumer.end_offsets(wanted))
            begins = {} if since is None else await self._offsets_at(consumer, ends, since)
        behind = {where: end for where, end in ends.items() if end > begins.get(where, 0)}
        async with aclosing(self._read(behind, begins)) as parts:
            async for part in parts:
                yield part

    def parts_past(self, partition: int, offset: int) -> AsyncGenerator[Part, None]:
        """All committed records of a partition until a record that we wrote at `offset` is passed.

        No broker's word on where the end is counts: a leader that was deposed without hearing of it answers with its
        old one. What he never got he can't serve, so the reading stands still there. Raises Unavailable then.
        """
        return self._read({TopicPartition(self._topic, partition): offset + 1})

    async def holds_records(self, partitions: int) -> bool:
        """Whether any of the topic's `partitions` partitions holds a record, committed or not."""
        wanted = self._wanted(range(partitions))
        async with self._consumer("read_uncommitted") as consumer:
            begins = await self._asked(consumer.beginning_offsets(wanted))
            ends = await self._asked(consumer.end_offsets(wanted))
        return any(ends[where] > begins[where] for where in wanted)

    async def whole_since(self, *partitions: int, retention: float, now: float) -> float | None:
        """Since when none of the partitions lacks a record, in Unix seconds; None if none ever was deleted.

        `retention` is how many seconds a record surely stays: what an empty partition had was older than that.
        """
        wanted = self._wanted(partitions)
        async with self._consumer("read_uncommitted") as consumer:
            begins = await self._asked(consumer.beginning_offsets(wanted))
            cut = [where for where in wanted if begins[where] > 0]
            first = await self._asked(consumer.offsets_for_times(dict.fromkeys(cut, 0))) if cut else {}
        kept = (now - retention if at is None else at.timestamp / 1000 for at in first.values())
        return max(kept, default=None)

    async def _offsets_at(
        self, consumer: Any, ends: Mapping[TopicPartition, int], since: float
    ) -> dict[TopicPartition, int]:
        """Where each partition's records of a moment begin; its end if there is none."""
        found = await self._asked(consumer.offsets_for_times(dict.fromkeys(ends, max(0, int(since * 1000)))))
        return {where: end if (at := found[where]) is None else at.offset for where, end in ends.items()}

    async def _read(
        self, ends: Mapping[TopicPartition, int], begins: Mapping[TopicPartition, int] = NOWHERE
    ) -> AsyncGenerator[Part, None]:
        if not ends:
            return
        async with self._consumer("read_committed") as reading:
            reading.assign(list(ends))
            await self._asked(reading.seek_to_beginning(*(where for where in ends if where not in begins)))
            for where in ends.keys() & begins.keys():
                reading.seek(where, begins[where])
            firsts: dict[TopicPartition, int] = {}
            async for where, records in read_up_to(reading, ends, patience=self._patience):
                begin = firsts.setdefault(where, records[0].offset)
                for start in range(0, len(records), AT_ONCE):
                    yield Part(records[start : start + AT_ONCE], begin, ends[where])

    def _wanted(self, partitions: Iterable[int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, partition) for partition in partitions]

    async def _asked(self, question: Coroutine[Any, Any, T]) -> T:
        with named(f"reading {self._topic}"):
            return await bounded(question, seconds=self._patience, what=f"reading {self._topic}")

    @asynccontextmanager
    async def _consumer(self, isolation: str) -> AsyncIterator[Any]:
        with named(f"reading {self._topic}"):
            consumer = new_consumer(
                self._connection,
                isolation=isolation,
                # Its first question always meets metadata without the topic, and waits that long before it asks again.
                retry_backoff_ms=25,
            )
            async with running(consumer, seconds=self._patience, what=f"connecting to read {self._topic}"):
                yield consumer


async def read_up_to(
    consumer: Any, ends: Mapping[TopicPartition, int], *, patience: float
) -> AsyncGenerator[tuple[TopicPartition, Sequence[Any]], None]:
    """What comes in each partition until its position has reached its end, some records beyond it maybe.

    Raises Unavailable after `patience` seconds without an answer or without a step forward, be it over records that
    were aborted and that nobody gets.
    """
    clock = asyncio.get_running_loop().time
    moved, before = clock(), dict[TopicPartition, int]()
    while True:
        now = {where: await _position(consumer, where, patience=patience) for where in ends}
        moved, before = moved if now == before else clock(), now
        behind = [where for where, end in ends.items() if now[where] < end]
        if not behind:
            return
        if clock() - moved > patience:
            raise Unavailable(
                f"{behind[0].topic} partition {behind[0].partition}: no way to its end at {ends[behind[0]]}: a "
                "transaction hangs there, or somebody else writes, or its leader is cut off from the other brokers, or "
                f"the way is too slow for {FETCH_BYTES // 1024} kB in {patience:g} s"
            )
        for where, records in (await consumer.getmany(*behind, timeout_ms=PAUSE_MS)).items():
            yield where, records


async def _position(consumer: Any, where: TopicPartition, *, patience: float) -> int:
    # It is known once a leader was asked for it, and while there is none aiokafka waits without a bound.
    what = f"reading {where.topic} partition {where.partition}"
    return int(await bounded(consumer.position(where), seconds=patience, what=what))
