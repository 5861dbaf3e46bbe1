"""What the whole ledger says beyond one shard: which servers it knows and where, and whether it ever began."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass

from producer.core.ledger import is_begun, server_of
from producer.kafka.connection import Connection
from producer.kafka.fresh import Fresh
from producer.kafka.reader import PartitionReader
from producer.kafka.topics import TopicSetup
from producer.model import Topic


@dataclass(frozen=True, slots=True)
class Known:
    """The partition of each server's cursor; `begun` if the ledger is not an empty one in another's place."""

    servers: Mapping[str, int]
    begun: bool


class Census:
    """Asked when a source seems to be new, which is rare; never older than the question."""

    def __init__(self, *, connection: Connection, setup: TopicSetup) -> None:
        self.reader = PartitionReader(connection, setup.topics.name(Topic.LEDGER))
        self._hits = PartitionReader(connection, setup.topics.name(Topic.HITS))
        self._setup = setup
        self._published, self._known = Fresh(self._look_for_hits), Fresh(self._read)

    async def published(self) -> bool:
        """Whether the hits topic holds any record; raises Unavailable."""
        return await self._published.get()

    async def known(self) -> Known:
        """What the ledger says now; raises Unavailable."""
        return await self._known.get()

    async def _look_for_hits(self) -> bool:
        return await self._hits.holds_records(self._setup.topics.partitions[Topic.HITS])

    async def _read(self) -> Known:
        marks: dict[tuple[bytes, int], bool] = {}
        async with aclosing(self.reader.parts(*range(self._setup.topics.shards))) as parts:
            async for part in parts:
                for record in part.records:
                    if is_begun(record.key):
                        marks[record.key, record.partition] = record.value is not None
        standing = [where for where, stands in marks.items() if stands]
        servers = {server: number for key, number in standing if (server := server_of(key)) is not None}
        return Known(servers, begun=bool(standing))


async def has_begun(connection: Connection, ledger: str, partitions: int) -> bool:
    """Whether the ledger is one that was begun, read no further than it takes to know; raises Unavailable."""
    parts = PartitionReader(connection, ledger).parts(*range(partitions))
    async with aclosing(parts):
        async for part in parts:
            if any(is_begun(record.key) and record.value is not None for record in part.records):
                return True
    return False
