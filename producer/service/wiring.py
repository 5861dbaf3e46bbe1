"""The parts of one instance, put together: per source its state, its API and its polling; shards on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from random import Random

from producer.clock import Clock
from producer.core.budget import Pendings
from producer.core.healer import Healer
from producer.core.poller import Poller
from producer.core.ports import Observer, Past
from producer.core.quota import Quota
from producer.core.rounds import Rounds
from producer.core.shard import Shard
from producer.core.source import Source
from producer.core.turns import Turns
from producer.frame import SchemaFrames
from producer.kafka.census import Census
from producer.kafka.connection import Connection
from producer.kafka.past import HitsTopic
from producer.kafka.store import KafkaShardStore
from producer.kafka.topics import TopicSetup
from producer.settings import Settings, SourceSettings
from producer.settings.sections import Recover
from producer.wolkvox.client import WolkvoxApi
from producer.wolkvox.history import WolkvoxHistory
from producer.wolkvox.privacy import Privacy
from producer.wolkvox.reader import RowReader

Turn = Callable[[], AbstractAsyncContextManager[None]]


class Wiring:
    """What an instance is made of. Sources live as long as the process: what waits survives losing a shard."""

    def __init__(self, settings: Settings, *, clock: Clock, rng: Random, observer: Observer) -> None:
        self._clock = clock
        self._rng = rng
        self._observer = observer
        self._turns = Turns()
        self._privacy = privacy_of(settings)
        self._settings = {one.server: one for one in settings.sources}
        self._recover = settings.recover if settings.recover.heals else None
        self._apis = {one.server: api_of(one, settings, clock) for one in settings.sources}
        self.sources = {one.server: self._source(one, settings) for one in settings.sources}
        self.pendings = Pendings(list(self.sources.values()), settings.pending.limit, on_dropped=observer.dropped)
        self.all_rounds = {one.server: self._rounds(one) for one in settings.sources}

    def shard(
        self,
        number: int,
        servers: Sequence[str],
        *,
        setup: TopicSetup,
        connection: Connection,
        census: Census,
        frames: SchemaFrames,
        settled: Callable[[], Awaitable[None]],
    ) -> Shard:
        """A shard with its sources and its store on Kafka."""
        store = KafkaShardStore(
            number=number,
            servers=servers,
            setup=setup,
            connection=connection,
            census=census,
            clock=self._clock,
            frames=frames,
        )
        return Shard(
            number=number,
            store=store,
            all_rounds=[self.all_rounds[server] for server in servers],
            healers=self._healers(servers, HitsTopic(connection=connection, setup=setup, clock=self._clock)),
            settled=settled,
            clock=self._clock,
            rng=self._rng,
            observer=self._observer,
        )

    async def close(self) -> None:
        """Let the connections to the APIs go."""
        await asyncio.gather(*(api.aclose() for api in self._apis.values()))

    def _source(self, one: SourceSettings, settings: Settings) -> Source:
        heal_after = None if self._recover is None else self._recover.delay
        return Source(server=one.server, keep=settings.dedup.window, window=one.window, heal_after=heal_after)

    def _rounds(self, one: SourceSettings) -> Rounds:
        api = self._apis[one.server]
        reader = RowReader(
            server=one.server, zone=one.timezone, marked_only=one.hits == "marked", privacy=self._privacy
        )
        return Rounds(
            poller=Poller(source=self.sources[one.server], api=api, reader=reader, budget=self.pendings),
            interval=one.interval,
            timeout=one.timeout,
            zone=one.timezone,
            turn=self._turn(one),
            clock=self._clock,
            rng=self._rng,
            observer=self._observer,
            quota=partial(quota_of, api),
        )

    def _healers(self, servers: Sequence[str], past: Past) -> list[Healer]:
        recover = self._recover
        return [] if recover is None else [self._healer(self._settings[one], recover, past) for one in servers]

    def _healer(self, one: SourceSettings, recover: Recover, past: Past) -> Healer:
        api, turn = self._apis[one.server], self._turn(one)
        return Healer(
            source=self.sources[one.server],
            history=WolkvoxHistory(
                server=one.server, api=api, zone=one.timezone, hit=recover.hit, turn=turn, clock=self._clock
            ),
            past=past,
            # A row of the history is a hit by its code, whatever its text says.
            reader=RowReader(server=one.server, zone=one.timezone, privacy=self._privacy),
            budget=self.pendings,
            quota=partial(_quota_in_turn, api, turn),
            interval=one.interval,
            timeout=one.timeout,
            zone=one.timezone,
            clock=self._clock,
            rng=self._rng,
            observer=self._observer,
        )

    def _turn(self, one: SourceSettings) -> Turn:
        return partial(self._turns.turn, one.token.read)


def api_of(source: SourceSettings, settings: Settings, clock: Clock) -> WolkvoxApi:
    """The API of one source; close it in the end."""
    return WolkvoxApi(
        server=source.server,
        url=source.url,
        token=source.token.read,
        timeout=source.timeout,
        cafile=settings.wolkvox.ssl_cafile,
        clock=clock,
    )


def privacy_of(settings: Settings) -> Privacy | None:
    """How rows are covered; None if all of them is kept, which then costs nothing."""
    chosen = settings.privacy
    if chosen.keeps_all:
        return None
    key = chosen.key.read if chosen.key is not None else None
    return Privacy(telephone=chosen.telephone, customer_id=chosen.customer_id, keep_extra=chosen.keeps_extra, key=key)


async def quota_of(api: WolkvoxApi) -> Quota:
    """The operation's calls of today; raises PollFailed, for not every operation tells them. Costs one."""
    info = await api.token_info()
    return Quota(limit=info.token_limit, left=info.calls_left)


async def _quota_in_turn(api: WolkvoxApi, turn: Turn) -> Quota:
    async with turn():
        return await quota_of(api)
