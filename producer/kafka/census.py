"""Which servers the ledger knows, and in which partition: read once, when a source seems to be new."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from producer.core.ledger import server_of
from producer.kafka.connection import Connection
from producer.kafka.reader import PartitionReader
from producer.kafka.topics import Topics
from producer.model import Topic


class Census:
    """The servers of the whole ledger. A repartitioning is not undone while a process runs, so one reading serves."""

    def __init__(self, *, connection: Connection, topics: Topics) -> None:
        self.reader = PartitionReader(connection, topics.name(Topic.LEDGER))
        self._shards = topics.shards
        self._lock = asyncio.Lock()
        self._servers: dict[str, int] | None = None

    async def servers(self) -> Mapping[str, int]:
        """Each server that the ledger named when this was first asked, with its partition; raises Unavailable."""
        async with self._lock:
            if self._servers is None:
                self._servers = await self._read()
            return self._servers

    async def _read(self) -> dict[str, int]:
        found: dict[str, int] = {}
        async for part in self.reader.parts(*range(self._shards)):
            for record in part.records:
                found[server_of(record.key)] = record.partition
        return found
