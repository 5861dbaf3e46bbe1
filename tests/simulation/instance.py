"""One instance of the service in a simulated world: its real core, put together as wiring.py and service.py do it.

Real: Source, Poller, Rounds, Turns, Shard, Fleet, the assignor. Given by the world: the APIs, the stores, the group's
coordinator, the clock, the observer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from producer.clock import Clock
from producer.core.budget import Pendings
from producer.core.fleet import Fleet, by_shard
from producer.core.healer import Healer
from producer.core.heartbeat import Heartbeat
from producer.core.ledger import shard_of
from producer.core.poller import Poller
from producer.core.ports import Api, History, Observer, Past, ShardStore
from producer.core.quota import Quota
from producer.core.rounds import Rounds
from producer.core.shard import Shard
from producer.core.source import Source
from producer.core.turns import Turns
from producer.wolkvox.reader import RowReader
from tests.simulation.group import Coordinator, Member
from tests.simulation.plan import KEEP
from tests.simulation.processes import Process

ZONE = ZoneInfo("America/Bogota")
STOP_BOUND = 4.0
"""As in producer/service/service.py."""
SHARDS = 12


Turn = Callable[[], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSetup:
    """What the settings say of a source; durations in seconds."""

    server: str
    token: Callable[[], str]
    interval: float
    timeout: float
    window: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an instance gets from its world."""

    coordinator: Coordinator
    api: Callable[[SourceSetup, Clock], Api]
    store: Callable[[Process, int, Sequence[str]], ShardStore]
    reachable: Callable[[Process], bool]
    delay: Callable[[], float]
    quota: Callable[[Api], Callable[[], Awaitable[Quota]]] | None = None
    source: Callable[..., Source] = Source
    pending_limit: int = 500_000
    heal_after: float | None = None
    history: Callable[[SourceSetup, Clock, Turn], History] | None = None
    past: Past | None = None


class Instance:
    """One process, from `start` to `stop` or `kill`."""

    def __init__(
        self,
        name: str,
        sources: Sequence[SourceSetup],
        surroundings: Surroundings,
        *,
        clock: Clock,
        rng: Random,
        observer: Observer,
    ) -> None:
        self.process = Process(name)
        self.setups = sources
        self.observer = observer
        self.shards = {one.server: shard_of(one.server, SHARDS) for one in sources}
        self.sources = {
            one.server: surroundings.source(
                server=one.server, keep=KEEP, window=one.window, heal_after=surroundings.heal_after
            )
            for one in sources
        }
        self.pendings = Pendings(list(self.sources.values()), surroundings.pending_limit, on_dropped=observer.dropped)
        self.turns = Turns()
        self.stores: list[ShardStore] = []
        self.stopped = False
        self._clock = clock
        self._rng = rng
        self._around = surroundings
        self.all_rounds = {one.server: self._polling(one) for one in sources}
        self.fleet = Fleet(make=self._shard)
        self.heartbeat = Heartbeat()
        """That of its member, who is the world's and needs none."""
        self._stop = asyncio.Event()
        self._task: asyncio.Task[Any] | None = None

    def start(self) -> None:
        """Run the service in its process."""
        self._task = self.process.start(self._serve(), name="service")

    async def stop(self) -> int:
        """SIGTERM, and wait for the end; the rows that died with it."""
        self._stop.set()
        assert self._task is not None
        await asyncio.wait({self._task})
        return self.pendings.waiting()

    async def kill(self) -> None:
        """SIGKILL."""
        await self.process.kill()
        self.stopped = True

    @property
    def failed(self) -> BaseException | None:
        """What ended the service, if it ended by itself."""
        if self._task is None or not self._task.done() or self._task.cancelled():
            return None
        return self._task.exception()

    async def _serve(self) -> None:
        around, process = self._around, self.process
        member = self._member = Member(
            around.coordinator,
            name=process.name,
            loaded=frozenset(self.shards.values()),
            on_assigned=self._assigned,
            reachable=lambda: around.reachable(process),
            delay=around.delay,
        )
        work = [asyncio.create_task(member.run()), asyncio.create_task(self.fleet.run())]
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({*work, stop}, return_when=asyncio.FIRST_COMPLETED)
            for task in work:
                if task.done():
                    task.result()
        finally:
            stop.cancel()
            await self.fleet.close(within=STOP_BOUND)
            for task in work:
                task.cancel()
            await asyncio.wait(work)
            member.leave()
            self.stopped = True

    def _assigned(self, shards: frozenset[int]) -> None:
        self.fleet.assign(shards, loaded=frozenset(self.shards.values()))

    def _shard(self, number: int) -> Shard:
        servers = by_shard(self.shards)[number]
        store = self._around.store(self.process, number, servers)
        self.stores.append(store)
        return Shard(
            number=number,
            store=store,
            all_rounds=[self.all_rounds[server] for server in servers],
            healers=[healer for one in self.setups if one.server in servers for healer in self._healing(one)],
            settled=self._member.settled,
            clock=self._clock,
            rng=self._rng,
            observer=self.observer,
        )

    def _polling(self, one: SourceSetup) -> Rounds:
        api = self._around.api(one, self._clock)
        reader = RowReader(server=one.server, zone=ZONE)
        return Rounds(
            poller=Poller(source=self.sources[one.server], api=api, reader=reader, budget=self.pendings),
            interval=one.interval,
            timeout=one.timeout,
            zone=ZONE,
            turn=self._turn(one),
            clock=self._clock,
            rng=self._rng,
            observer=self.observer,
            quota=self._around.quota(api) if self._around.quota else None,
        )

    def _healing(self, one: SourceSetup) -> Iterator[Healer]:
        around = self._around
        if around.heal_after is None or around.history is None or around.past is None:
            return
        yield Healer(
            source=self.sources[one.server],
            history=around.history(one, self._clock, self._turn(one)),
            past=around.past,
            reader=RowReader(server=one.server, zone=ZONE),
            budget=self.pendings,
            quota=_unknown_quota,
            interval=one.interval,
            timeout=one.timeout,
            zone=ZONE,
            clock=self._clock,
            rng=self._rng,
            observer=self.observer,
        )

    def _turn(self, one: SourceSetup) -> Turn:
        return partial(self.turns.turn, one.token)


async def _unknown_quota() -> Quota:
    return Quota(None, None)
