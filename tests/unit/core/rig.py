"""Instances of the service's core on the twins: shards that poll and commit in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from random import Random
from zoneinfo import ZoneInfo

from producer.core.healer import Healer
from producer.core.poller import Poller
from producer.core.ports import ShardStore
from producer.core.quota import Quota
from producer.core.rounds import Rounds
from producer.core.shard import Shard
from producer.core.source import Source
from producer.core.turns import Turns
from producer.model import Topic
from producer.wolkvox.reader import RowReader
from tests.twins.manual_clock import ManualClock
from tests.twins.memory_kafka import MemoryKafka
from tests.twins.memory_past import MemoryPast
from tests.twins.memory_store import MemoryShardStore
from tests.twins.recording_observer import RecordingObserver
from tests.twins.scripted_api import ScriptedApi
from tests.twins.scripted_history import ScriptedHistory
from tests.unit.core.samples import KEEP, SERVER, SHARD, WINDOW

INTERVAL, TIMEOUT = 300.0, 60.0


class Unlimited:
    """A budget that never ends, unless a test says that so many rows of others wait."""

    limit = 10**9
    taken = 0

    def waiting(self) -> int:
        return self.taken

    def make_room(self, rows: int) -> None:
        """There is always some."""


async def at_once() -> None:
    """The group's word is always fresh."""


class Rig:
    """One instance: an API and a source each server, one store, one observer; make it within the loop.

    With `heal_after`, RECOVER_DELAY, each source has a history too, and its gaps heal.
    """

    def __init__(
        self,
        *,
        kafka: MemoryKafka | None = None,
        servers: Sequence[str] = (SERVER,),
        seed: int = 0,
        observer: RecordingObserver | None = None,
        heal_after: float | None = None,
    ) -> None:
        self.clock = ManualClock.of_loop()
        self.kafka = kafka or MemoryKafka()
        self.observer = observer or RecordingObserver()
        self.rng = Random(seed)
        self.apis = {server: ScriptedApi(clock=self.clock, server=server) for server in servers}
        self.histories = {server: ScriptedHistory(clock=self.clock, server=server) for server in servers}
        self.budget = Unlimited()
        self.past = MemoryPast(self.kafka)
        self.quota = Quota(None, None)
        self.quotas_asked = 0
        self.sources = {
            server: Source(server=server, keep=KEEP, window=WINDOW, heal_after=heal_after) for server in servers
        }
        self.turns = Turns()
        self.all_rounds = [self._polling(server) for server in servers]
        self.healers = [] if heal_after is None else [self._healing(server) for server in servers]
        self.store = MemoryShardStore(self.kafka, number=SHARD)

    @property
    def api(self) -> ScriptedApi:
        """The only API."""
        (api,) = self.apis.values()
        return api

    @property
    def history(self) -> ScriptedHistory:
        """The only history."""
        (history,) = self.histories.values()
        return history

    @property
    def source(self) -> Source:
        """The only source."""
        (source,) = self.sources.values()
        return source

    def shard(
        self,
        *,
        settled: Callable[[], Awaitable[None]] = at_once,
        store: ShardStore | None = None,
        number: int = SHARD,
        kind: type[Shard] = Shard,
    ) -> Shard:
        """A shard of all the sources."""
        return kind(
            number=number,
            store=store or self.store,
            all_rounds=self.all_rounds,
            healers=self.healers,
            settled=settled,
            clock=self.clock,
            rng=self.rng,
            observer=self.observer,
        )

    def published(self) -> list[str]:
        """The committed hits' ids, in order."""
        return [(record.key or b"").decode() for record in self.kafka.committed(Topic.HITS)]

    def _polling(self, server: str) -> Rounds:
        zone = ZoneInfo("America/Bogota")
        reader = RowReader(server=server, zone=zone)
        return Rounds(
            poller=Poller(source=self.sources[server], api=self.apis[server], reader=reader, budget=self.budget),
            interval=INTERVAL,
            timeout=TIMEOUT,
            zone=zone,
            turn=partial(self.turns.turn, lambda: f"token of {server}"),
            clock=self.clock,
            rng=self.rng,
            observer=self.observer,
        )

    def _healing(self, server: str) -> Healer:
        zone = ZoneInfo("America/Bogota")
        return Healer(
            source=self.sources[server],
            history=self.histories[server],
            past=self.past,
            reader=RowReader(server=server, zone=zone),
            budget=self.budget,
            quota=self._quota,
            interval=INTERVAL,
            timeout=TIMEOUT,
            zone=zone,
            clock=self.clock,
            rng=self.rng,
            observer=self.observer,
        )

    async def _quota(self) -> Quota:
        self.quotas_asked += 1
        return self.quota


async def elapse(seconds: float) -> None:
    """Let virtual time go by."""
    await asyncio.sleep(seconds)
