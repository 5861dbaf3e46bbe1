"""A leader that was deposed without hearing of it: clients reach it, its peers do not, and its past is all it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import pytest

from producer.clock import SystemClock
from producer.core.ledger import cursor_record, shard_of
from producer.demo.broker import EmbeddedCluster
from producer.demo.broker.node import Node
from producer.errors import Discard, Unavailable
from producer.kafka.census import Census
from producer.kafka.connection import Connection
from producer.kafka.store import KafkaShardStore
from producer.kafka.topics import TopicSetup
from producer.model import Cursor, Outgoing, SourceFold
from producer.settings.sections import Kafka
from tests.integration.service.admin import Admin
from tests.twins.told import a_told, ids_in

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]  # its waits alone take half a minute

T = TypeVar("T")

SERVER = "0042"
SHARD = shard_of(SERVER, 12)
PATIENCE = 8.0
"""Seconds for one request: the frozen broker gets several of them, one after the other."""


async def test_the_past_of_a_deposed_leader_is_not_taken_for_the_ledger(cluster: EmbeddedCluster, topic: str) -> None:
    """Ten ids are on all brokers, ten only on those that go on; the heir reads from the one that was cut off."""
    owner = await Heir.of(cluster.bootstrap, topic)
    await owner.take()
    await owner.commit(ids(0))
    deposed, *others = await by_leader(cluster, topic)
    await asyncio.to_thread(deposed.suspend)
    await commits(owner, ids(10))
    heir = await Heir.of(cluster.bootstrap, topic, reads_from=deposed, cuts_off=others)
    with pytest.raises(Unavailable, match="cut off from the other brokers"):
        await heir.take()
    await asyncio.to_thread(cluster.start)
    again = await patiently(lambda: Heir.of(cluster.bootstrap, topic))
    assert len(ids_in((await patiently(again.take))[SERVER].hits)) == 20
    for store in (owner, heir, again):
        await store.discard()


class Heir(KafkaShardStore):
    """Once it has the id the deposed leader is back, and its peers are gone: to it the same as being cut off."""

    deposed: Node | None = None
    others: tuple[Node, ...] = ()

    @classmethod
    async def of(
        cls, bootstrap: str, topic: str, *, reads_from: Node | None = None, cuts_off: list[Node] | None = None
    ) -> Heir:
        connection = reached(bootstrap, topic)
        setup = TopicSetup(connection)
        await setup.ready()
        reading = connection if reads_from is None else reached(reads_from.bootstrap, topic)
        census = Census(connection=reading, setup=setup)
        store = cls(
            number=SHARD,
            servers=[SERVER],
            setup=setup,
            connection=connection,
            census=census,
            clock=SystemClock(),
            frames={},
        )
        store.deposed, store.others = reads_from, tuple(cuts_off or ())
        return store

    async def _fold(self, barrier: int) -> Mapping[str, SourceFold]:
        if self.deposed is not None:
            for node in self.others:
                await asyncio.to_thread(node.kill)
            await asyncio.to_thread(self.deposed.resume)
        return await super()._fold(barrier)


def reached(bootstrap: str, topic: str) -> Connection:
    settings = Kafka(bootstrap_servers=bootstrap, topic=topic, replication_factor=3, partitions=1)
    return Connection(settings, client_id="isolated", request_timeout=PATIENCE)


def ids(first: int) -> list[Outgoing]:
    """Ten told ids and a cursor."""
    hits = [str(number) for number in range(first, first + 10)]
    return [a_told(*hits), cursor_record(SERVER, Cursor(1_768_780_800.0 + first, None))]


async def by_leader(cluster: EmbeddedCluster, topic: str) -> list[Node]:
    """The nodes, first the one that leads the shard's partition of the ledger."""
    address = await Admin(cluster.bootstrap).leader(f"{topic}.ledger", SHARD)
    return sorted(cluster.nodes, key=lambda node: node.bootstrap != address)


async def commits(owner: KafkaShardStore, records: list[Outgoing]) -> None:
    """As an owner does: taken again after each failure, until the commit is acknowledged."""
    for _ in range(20):
        try:
            await owner.commit(records)
        except Discard:
            await patiently(owner.take)
        else:
            return
    raise AssertionError("no commit without the frozen broker")


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """What brokers give as soon as they can, asked again as the service asks: after a start they take a while."""
    for _ in range(20):
        try:
            return await ask()
        except (Discard, Unavailable):
            await asyncio.sleep(0.5)
    raise AssertionError("the brokers gave nothing")
