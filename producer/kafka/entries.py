"""The ledger's entries as they stand, of all partitions: for people who look into it, not for the service."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

import orjson

from producer.core.ledger import Kind, Outcome, server_of
from producer.errors import Untrusted
from producer.kafka.access.inquiry import Inquiry
from producer.kafka.aiokafka_errors import failure
from producer.kafka.connection import Connection
from producer.kafka.reader import PartitionReader
from producer.model import Topic


@dataclass(slots=True)
class PartitionEntries:
    """One partition: the newest value of each key that has no tombstone, and the offsets that were read for it."""

    entries: dict[bytes, bytes] = field(default_factory=dict)
    first: int | None = None
    last: int | None = None


def ledger_name(connection: Connection) -> str:
    """The ledger's topic."""
    return connection.settings.topic + Topic.LEDGER


async def ledger_partitions(connection: Connection) -> int:
    """How many partitions the ledger has; raises Untrusted if there is none, which asking does not change."""
    name = ledger_name(connection)
    async with Inquiry(connection) as cluster:
        facts = (await cluster.metadata([name])).topics[name]
    if facts.missing:
        raise Untrusted(
            f"there is no topic {name}: `wolkvox-hits run` creates it; see KAFKA_TOPIC if it should be there"
        )
    if facts.error is not None:
        raise failure(facts.error(), f"describing {name}")
    return facts.partitions


async def read_entries(
    connection: Connection, *, partitions: int, server: str | None = None
) -> Mapping[int, PartitionEntries]:
    """Every partition's entries, or one server's of them, up to the end as of now; raises KafkaFailed."""
    found = {number: PartitionEntries() for number in range(partitions)}
    async with aclosing(PartitionReader(connection, ledger_name(connection)).parts(*found)) as parts:
        async for part in parts:
            for record in part.records:
                there = found[record.partition]
                there.first = record.offset if there.first is None else there.first
                there.last = record.offset
                if server is not None and server_of(record.key) != server:
                    continue
                if record.value is None:
                    there.entries.pop(record.key, None)
                else:
                    there.entries[record.key] = record.value
            await asyncio.sleep(0)
    return found


async def refused_ids(connection: Connection, partition: int, server: str) -> frozenset[str]:
    """The ids of a server's hits that were dead-lettered, and so are done, as the ledger has it; raises KafkaFailed."""
    found = set[str]()
    async with aclosing(PartitionReader(connection, ledger_name(connection)).parts(partition)) as parts:
        async for part in parts:
            for record in part.records:
                if record.value is not None and record.key.startswith(f"{Kind.TOLD}/{server}/".encode()):
                    content = orjson.loads(record.value)
                    ids = content["ids"]
                    found = found.union(ids) if content["outcome"] == Outcome.DEAD_LETTERED else found.difference(ids)
            await asyncio.sleep(0)
    return frozenset(found)
