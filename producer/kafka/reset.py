"""Forgetting one source: a tombstone for each of its entries, wherever they are, in one transaction; beginning anew.

The group is asked who runs, and the transactional ids are taken: an instance that the group does not know of, or that
comes up meanwhile, is fenced and reads the ledger again when this is over.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from producer.clock import Clock
from producer.core.ledger import begun_record, shard_of, tombstone
from producer.kafka.access.inquiry import Inquiry
from producer.kafka.access.permissions import topic_configs, try_transactional_id
from producer.kafka.aiokafka_errors import named
from producer.kafka.batches import Batches
from producer.kafka.bounds import bounded
from producer.kafka.census import has_begun
from producer.kafka.clients import new_producer, running
from producer.kafka.connection import Connection
from producer.kafka.entries import ledger_name, ledger_partitions, read_entries
from producer.kafka.topics import Topics
from producer.model import Outgoing, Topic

RESET_TIMEOUT = 120.0
"""Seconds for the one transaction: a source that showed a hit at each of its polls has thousands of entries."""
_TAKE_BOUND = 30.0
BEGINNER = "init"
"""Follows the prefix in the transactional id of `ledger init`: no shard's, so nobody is fenced."""


async def reset_source(connection: Connection, server: str, *, clock: Clock) -> int:
    """Forget what the ledger knows of a server; the number of entries. Raises KafkaFailed, and then nothing is changed.

    Takes the transactional id of every shard: entries may be in any, and what an owner left open there is aborted.
    """
    partitions = await ledger_partitions(connection)
    largest = await _fence(connection, partitions)
    own = shard_of(server, partitions)
    async with _producer(connection, f"{ledger_name(connection)}-{own}") as producer:
        found = await read_entries(connection, partitions=partitions, server=server)
        records = {number: list(map(tombstone, there.entries)) for number, there in found.items()}
        entries = sum(map(len, records.values()))
        # Without any cursor left it would look like a ledger that was lost.
        records[own].append(begun_record(owner=connection.client_id, taken_at=clock.now().rfc3339()))
        with named("writing the tombstones"):
            topics = Topics(connection.settings.topic, {Topic.LEDGER: partitions}, largest)
            writing = _write(producer, topics, records)
            await bounded(writing, seconds=RESET_TIMEOUT, what="writing the tombstones")
    return entries


async def begin_ledger(connection: Connection, topics: Topics, *, clock: Clock) -> bool:
    """Accept what a lost ledger costs, so that the service starts on this one; False if it was begun before."""
    if await has_begun(connection, topics.name(Topic.LEDGER), topics.shards):
        return False
    mark = begun_record(owner=connection.client_id, taken_at=clock.now().rfc3339())
    async with _producer(connection, f"{topics.name(Topic.LEDGER)}-{BEGINNER}") as producer:
        with named("beginning the ledger"):
            writing = _write(producer, topics, {0: [mark]})
            await bounded(writing, seconds=RESET_TIMEOUT, what="beginning the ledger")
    return True


async def _fence(connection: Connection, partitions: int) -> int:
    """Take every shard's id, so that nobody can commit; the ledger's max.message.bytes."""
    name = ledger_name(connection)
    async with Inquiry(connection) as cluster:
        for number in range(partitions):
            await try_transactional_id(cluster, f"{name}-{number}")
        return int((await topic_configs(cluster, name))[name]["max.message.bytes"])


async def _write(producer: AIOKafkaProducer, topics: Topics, records: Mapping[int, Sequence[Outgoing]]) -> None:
    await producer.begin_transaction()
    for number, own in records.items():
        batches = Batches(producer, topics, shard=number)
        await batches.add(own)
        await batches.delivered()
    await producer.commit_transaction()


@asynccontextmanager
async def _producer(connection: Connection, transactional_id: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that has taken a transactional id."""
    what = f"taking the transactional id {transactional_id}"
    with named(what):
        producer = new_producer(connection, transactional_id, timeout=RESET_TIMEOUT)
        async with running(producer, seconds=_TAKE_BOUND, what=what):
            yield producer
