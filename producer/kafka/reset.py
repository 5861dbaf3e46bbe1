"""Forgetting one source: a tombstone for each of its entries, wherever they are, in one transaction.

The group is asked who runs, and the transactional ids are taken: an instance that the group does not know of, or that
comes up meanwhile, is fenced and reads the ledger again when this is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from producer.clock import Clock
from producer.kafka.batches import Batches
from producer.kafka.bounds import bounded, leave_behind
from producer.kafka.connection import Connection
from producer.kafka.entries import ledger_name, ledger_partitions, read_entries
from producer.kafka.failures import named
from producer.kafka.inquiry import Inquiry
from producer.kafka.permissions import topic_config
from producer.kafka.topics import Topics
from producer.ledger import shard_of
from producer.model import Outgoing, Topic

TRANSACTION_TIMEOUT = 120.0
"""Seconds: a million tombstones are 80 MB."""
_TAKE_BOUND = 30.0
_STOP_BOUND = 2.0
_NO_HEADERS: list[tuple[str, bytes]] = []


async def reset_source(connection: Connection, server: str, *, clock: Clock) -> int:
    """Forget what the ledger knows of a server; the number of entries. Raises KafkaFailed, and then nothing is changed.

    Takes the transactional id of the server's shard and of each partition that holds entries of it.
    """
    partitions = await ledger_partitions(connection)
    before = await read_entries(connection, partitions=partitions, server=server)
    own = shard_of(server, partitions)
    for number, there in before.items():
        if there.entries and number != own:
            async with _producer(connection, number, largest=None):
                pass
    async with _producer(connection, own, largest=await _largest(connection)) as producer:
        # Once more, now that nobody else can commit.
        found = await read_entries(connection, partitions=partitions, server=server)
        keys = {number: list(there.entries) for number, there in found.items() if there.entries}
        with named("writing the tombstones"):
            writing = _write(producer, connection, keys, clock=clock)
            await bounded(writing, seconds=TRANSACTION_TIMEOUT, what="writing the tombstones")
    return sum(map(len, keys.values()))


async def _write(
    producer: AIOKafkaProducer, connection: Connection, keys: Mapping[int, Sequence[bytes]], *, clock: Clock
) -> None:
    timestamp = int(clock.now().wall * 1000)
    topics = Topics(connection.settings.topic, {}, 0)
    await producer.begin_transaction()
    for number, gone in keys.items():
        batches = Batches(producer, topics, shard=number, timestamp=timestamp)
        await batches.add(_tombstones(gone))
        await batches.delivered()
    await producer.commit_transaction()


def _tombstones(keys: Iterable[bytes]) -> Iterable[Outgoing]:
    return (Outgoing(Topic.LEDGER, key, None, _NO_HEADERS) for key in keys)


async def _largest(connection: Connection) -> int:
    async with Inquiry(connection) as cluster:
        return int((await topic_config(cluster, ledger_name(connection)))["max.message.bytes"])


@asynccontextmanager
async def _producer(connection: Connection, shard: int, *, largest: int | None) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that has taken a shard's transactional id; `largest` is the most bytes that a batch may have."""
    transactional_id = f"{ledger_name(connection)}-{shard}"
    what = f"taking the transactional id {transactional_id}"
    with named(what):
        producer = AIOKafkaProducer(
            **connection.options(),
            transactional_id=transactional_id,
            transaction_timeout_ms=int(TRANSACTION_TIMEOUT * 1000),
            max_batch_size=min(900_000, largest or 900_000),
        )
        try:
            await bounded(producer.start(), seconds=_TAKE_BOUND, what=what)
            yield producer
        finally:
            stopping = asyncio.create_task(producer.stop())
            await asyncio.wait({stopping}, timeout=_STOP_BOUND)
            leave_behind(stopping)
