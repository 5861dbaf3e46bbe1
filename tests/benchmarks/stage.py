"""What the benchmarks play on: a real broker, the five topics, and the service's own parts on them, wired as in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from producer.clock import Clock, SystemClock
from producer.core.budget import Pendings
from producer.core.ledger import shard_of
from producer.core.poller import Poller, commit_once
from producer.core.ports import ShardStore, Told
from producer.core.source import Source
from producer.demo.simulator import server_names
from producer.demo.simulator.callcentre import BOGOTA
from producer.kafka.census import Census
from producer.kafka.connection import Connection
from producer.kafka.store import KafkaShardStore
from producer.kafka.topics import Topics, TopicSetup
from producer.settings import load
from producer.wolkvox.client import WolkvoxApi
from producer.wolkvox.reader import RowReader

KEEP, WINDOW, PENDING_LIMIT = 7200.0, 600.0, 500_000
"""The defaults of DEDUP_WINDOW, WOLKVOX_WINDOW and PENDING_LIMIT."""


class Polled:
    """One source from the answer's bytes to the commit, each part as the service has it but the network before it."""

    def __init__(self, *, server: str, store: ShardStore, clock: Clock) -> None:
        self.source = Source(server=server, keep=KEEP, window=WINDOW)
        self.answer = b""
        self._store = store
        self._clock = clock
        api = WolkvoxApi(
            server=server,
            url="http://localhost",
            token=lambda: "token",
            timeout=60,
            clock=clock,
            transport=httpx.MockTransport(lambda _: httpx.Response(200, content=self.answer)),
        )
        self._poller = Poller(
            source=self.source,
            api=api,
            reader=RowReader(server=server, zone=BOGOTA),
            budget=Pendings([self.source], PENDING_LIMIT, on_dropped=lambda _: None),
        )

    async def poll(self) -> None:
        """The answer becomes what waits."""
        await self._poller.poll_once()

    async def commit(self) -> None:
        """What waits becomes true."""
        await commit_once([self.source], self._store, self._clock, {self.source.server: Told()})

    async def both(self) -> None:
        """A poll and its commit, one after the other."""
        await self.poll()
        await self.commit()


@dataclass(frozen=True, slots=True)
class Stage:
    """A broker with fresh topics; `servers` all belong to shard `number`, which `store` has taken."""

    bootstrap: str
    topics: Topics
    setup: TopicSetup
    connection: Connection
    number: int
    servers: list[str]
    store: KafkaShardStore

    def source(self, server: str) -> Polled:
        """A source that has told nothing yet."""
        return Polled(server=server, store=self.store, clock=SystemClock())

    def another_store(self, server: str) -> KafkaShardStore:
        """The store of a server's shard, not taken yet."""
        return _store(shard_of(server, self.topics.shards), [server], self.setup, self.connection)


@asynccontextmanager
async def staged(bootstrap: str, name: str) -> AsyncIterator[Stage]:
    """Topics of their own for one benchmark."""
    settings = load(
        config=None,
        environ={
            "WOLKVOX_SERVER": "0042",
            "WOLKVOX_TOKEN": "token",
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "KAFKA_TOPIC": f"bench.{name}",
        },
    )
    connection = Connection(settings.kafka, client_id="bench")
    setup = TopicSetup(connection)
    topics = await setup.ready()
    number = shard_of("0042", topics.shards)
    servers = [server for server in server_names(1000) if shard_of(server, topics.shards) == number]
    store = _store(number, servers, setup, connection)
    await store.take()
    try:
        yield Stage(bootstrap, topics, setup, connection, number, servers, store)
    finally:
        await store.discard()
        await asyncio.sleep(0)


def _store(number: int, servers: list[str], setup: TopicSetup, connection: Connection) -> KafkaShardStore:
    return KafkaShardStore(
        number=number,
        servers=servers,
        setup=setup,
        connection=connection,
        census=Census(connection=connection, setup=setup),
        clock=SystemClock(),
        frames={},
    )
