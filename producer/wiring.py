"""The parts of one instance, put together: per source its state, its API and its polling; shards on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from random import Random

from producer import settings as config
from producer.clock import Clock
from producer.kafka.census import Census
from producer.kafka.connection import Connection
from producer.kafka.store import KafkaShardStore
from producer.kafka.topics import Topics
from producer.poller import Poller
from producer.polling import Polling
from producer.ports import Observer, Told
from producer.quota import Quota
from producer.shard import Shard
from producer.source import Source
from producer.turns import Turns
from producer.wolkvox.client import WolkvoxApi
from producer.wolkvox.reader import RowReader


class Pendings:
    """What waits for Kafka, all sources together, against PENDING_LIMIT; `on_dropped` is told what was let go."""

    def __init__(
        self, sources: Sequence[Source], limit: int, *, on_dropped: Callable[[Mapping[str, Told]], None]
    ) -> None:
        self._sources = sources
        self._on_dropped = on_dropped
        self.limit = limit

    def waiting(self) -> int:
        """Rows that wait."""
        return sum(len(source.pending) for source in self._sources)

    def make_room(self, rows: int) -> None:
        """Let go of sources whose shard went elsewhere, the one that waits longest first, until `rows` more fit.

        Their present owner polls them, and the ledger's cursor, which no row that waits has moved, tells it from when.
        """
        waiting = self.waiting()
        if waiting + rows <= self.limit:
            return
        elsewhere = [source for source in self._sources if len(source.pending) and not source.held]
        own = waiting - sum(len(source.pending) for source in elsewhere)
        if own and own + rows > self.limit:
            return  # nothing is let go in vain
        for source in sorted(elsewhere, key=_waits_since):
            if self.waiting() + rows > self.limit:
                self._let_go(source)

    def _let_go(self, source: Source) -> None:
        told = Told()
        source.let_go(told.dropped)
        self._on_dropped({source.server: told})


class Wiring:
    """What an instance is made of. Sources live as long as the process: what waits survives losing a shard."""

    def __init__(self, settings: config.Settings, *, clock: Clock, rng: Random, observer: Observer) -> None:
        self._clock = clock
        self._rng = rng
        self._observer = observer
        self._turns = Turns()
        self._apis: list[WolkvoxApi] = []
        keep = settings.dedup.window
        self.sources = {one.server: Source(server=one.server, keep=keep, window=one.window) for one in settings.sources}
        self.pendings = Pendings(list(self.sources.values()), settings.pending.limit, on_dropped=observer.dropped)
        self.pollings = {one.server: self._polling(one) for one in settings.sources}

    def shard(
        self,
        number: int,
        servers: Sequence[str],
        *,
        topics: Topics,
        connection: Connection,
        census: Census,
        settled: Callable[[], Awaitable[None]],
    ) -> Shard:
        """A shard with its sources and its store on Kafka."""
        store = KafkaShardStore(
            number=number, servers=servers, topics=topics, connection=connection, census=census, clock=self._clock
        )
        return Shard(
            number=number,
            store=store,
            pollings=[self.pollings[server] for server in servers],
            settled=settled,
            clock=self._clock,
            rng=self._rng,
            observer=self._observer,
        )

    async def close(self) -> None:
        """Let the connections to the APIs go."""
        await asyncio.gather(*(api.aclose() for api in self._apis))

    def _polling(self, one: config.Source) -> Polling:
        api = WolkvoxApi(server=one.server, url=one.url, token=one.token.read, timeout=one.timeout, clock=self._clock)
        self._apis.append(api)
        reader = RowReader(server=one.server, zone=one.timezone)
        return Polling(
            poller=Poller(source=self.sources[one.server], api=api, reader=reader, budget=self.pendings),
            interval=one.interval,
            timeout=one.timeout,
            zone=one.timezone,
            turn=partial(self._turns.turn, one.token.read),
            clock=self._clock,
            rng=self._rng,
            observer=self._observer,
            quota=partial(_quota, api),
        )


def _waits_since(source: Source) -> float:
    return next(source.pending.harvests()).requested.boot


async def _quota(api: WolkvoxApi) -> Quota:
    info = await api.token_info()
    return Quota(limit=info.token_limit, left=info.available_consumption_options)
