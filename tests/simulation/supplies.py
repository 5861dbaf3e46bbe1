"""What a world gives to its instances: clocks, a group's coordinator, APIs and stores, each with chances of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from random import Random

from producer.clock import Clock
from producer.core.ports import Api, History, ShardStore
from tests.simulation.broker import SimulatedKafka, SimulatedStore
from tests.simulation.conditions import Weather
from tests.simulation.group import Coordinator
from tests.simulation.history import SimulatedHistory
from tests.simulation.instance import SHARDS, SourceSetup, Surroundings, Turn
from tests.simulation.plan import WINDOW, Plan
from tests.simulation.processes import Process, current_process
from tests.simulation.report import Archive, SimulatedReport
from tests.simulation.truth import Stream, changing, stream
from tests.simulation.watch import WatchedSource
from tests.twins.manual_clock import WALL, ManualClock
from tests.twins.memory_past import MemoryPast


class Supplies:
    """Of one plan; make it within the loop."""

    def __init__(self, plan: Plan, weather: Weather, kafka: SimulatedKafka) -> None:
        self.plan = plan
        self.streams = {server: self._stream(server) for server in plan.servers}
        self.archives = {server: Archive() for server in plan.servers}
        self.coordinators = [self._coordinator() for _ in range(plan.places if plan.split else 1)]
        self.clocks = [self._clock(place) for place in range(plan.places)]
        self._weather = weather
        self._kafka = kafka

    def setups(self) -> list[SourceSetup]:
        """What the settings of each instance say of the sources."""
        return [self._setup(server) for server in self.plan.servers]

    def around(self, place: int, name: str) -> Surroundings:
        """Everything for a process of this name at this place."""
        rng = Random(f"group/{self.plan.seed}/{name}")
        return Surroundings(
            coordinator=self.coordinators[place % len(self.coordinators)],
            api=partial(self._report, name),
            store=self._store,
            reachable=self._weather.reachable,
            delay=lambda: rng.uniform(0, 3),
            pending_limit=self.plan.pending_limit,
            source=WatchedSource,
            heal_after=self.plan.heal_after,
            history=partial(self._history, name),
            past=MemoryPast(self._kafka),
        )

    def _stream(self, server: str) -> Stream:
        plan = self.plan
        facts = stream(
            server,
            rng=Random(f"stream/{plan.seed}/{server}"),
            rate=plan.rate,
            until=plan.duration + plan.interval,
            reach=plan.reach,
            late_by=plan.late_by,
        )
        return changing(facts, rng=Random(f"changing/{plan.seed}/{server}"), share=plan.changing)

    def _coordinator(self) -> Coordinator:
        return Coordinator(shards=SHARDS, session=self.plan.session, heartbeat=self.plan.session / 4)

    def _clock(self, place: int) -> ManualClock:
        rng = Random(f"clock/{self.plan.seed}/{place}")
        wall = WALL + rng.uniform(-self.plan.skew, self.plan.skew)
        return ManualClock(wall=wall, boot=rng.uniform(0, 1e6), running=asyncio.get_running_loop().time)

    def _setup(self, server: str) -> SourceSetup:
        return SourceSetup(
            server=server, token=lambda: server, interval=self.plan.interval, timeout=self.plan.timeout, window=WINDOW
        )

    def _report(self, name: str, setup: SourceSetup, clock: Clock) -> Api:
        number = self.plan.servers.index(setup.server)
        return SimulatedReport(
            setup.server,
            process=name,
            stream=self.streams[setup.server],
            archive=self.archives[setup.server],
            clock=clock,
            mood=lambda: self._weather.mood(number, _running()),
            timeout=setup.timeout,
            latency=self.plan.latency,
            rng=Random(f"report/{self.plan.seed}/{name}/{setup.server}"),
        )

    def _history(self, name: str, setup: SourceSetup, clock: Clock, turn: Turn) -> History:
        number = self.plan.servers.index(setup.server)
        return SimulatedHistory(
            setup.server,
            stream=self.streams[setup.server],
            kind=self.plan.history,
            mood=lambda: self._weather.mood(number, _running()),
            turn=turn,
            timeout=setup.timeout,
            latency=self.plan.latency,
            clock=clock,
            rng=Random(f"history/{self.plan.seed}/{name}/{setup.server}"),
        )

    def _store(self, process: Process, number: int, servers: Sequence[str]) -> ShardStore:
        rng = Random(f"store/{self.plan.seed}/{process.name}/{number}")
        return SimulatedStore(
            self._kafka, self._weather, process, number=number, servers=servers, rng=rng, batch=rng.choice((1, 5, 50))
        )


def _running() -> Process:
    process = current_process()
    assert process is not None
    return process
