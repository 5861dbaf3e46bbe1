"""A scripted stretch of time: the whole core against the real client and the simulated API, and what came of it."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from traceback import format_exception
from typing import Any, cast

import orjson

from producer.clock import Clock
from producer.core.ports import Api, Failed, Polled, ShardStore, Told
from producer.core.quota import Quota
from producer.demo.simulator.callcentre import CallCentre
from producer.demo.simulator.faults import FaultPlan
from producer.demo.simulator.simulated_api import SimulatedApi
from producer.demo.simulator.simulated_source import SimulatedSource
from producer.errors import KafkaFailed
from producer.observe.logs import configure
from producer.observe.metrics import PREFIX, Metrics
from producer.observe.observer import ServiceObserver
from producer.observe.status import status_json
from producer.service.overview import Overview
from producer.wolkvox.client import WolkvoxApi
from tests.simulation.group import Coordinator
from tests.simulation.instance import SHARDS, Instance, SourceSetup, Surroundings
from tests.simulation.processes import Process
from tests.simulation.wire import InMemoryTransport
from tests.twins.manual_clock import WALL, ManualClock
from tests.twins.memory_kafka import MemoryKafka
from tests.twins.memory_store import MemoryShardStore


@dataclass(slots=True)
class Tally:
    """One instance's rows of one source, from poll to record."""

    new: int = 0
    dead: int = 0
    published: int = 0
    dead_lettered: int = 0
    dropped: int = 0


class AuditedObserver(ServiceObserver):
    """The service's own observer, which also keeps every error's text and counts beside it."""

    def __init__(self, *, metrics: Metrics, clock: Clock) -> None:
        super().__init__(metrics=metrics, clock=clock)
        self.tallies: dict[str, Tally] = {}
        self.texts: list[str] = []
        self.outcomes: dict[str, list[str]] = {}

    def polled(self, polled: Polled) -> None:
        super().polled(polled)
        told = polled.new + polled.changed + polled.duplicate + polled.dead
        assert polled.rows == told + polled.unmarked + polled.summaries
        tally = self._tally(polled.server)
        tally.new += polled.new + polled.changed
        tally.dead += polled.dead
        self.outcomes.setdefault(polled.server, []).append("ok")

    def failed(self, failed: Failed) -> None:
        super().failed(failed)
        self.texts.append("".join(format_exception(failed.error)))
        self.outcomes.setdefault(failed.server, []).append(failed.error.outcome)

    def dropped(self, told: Any) -> None:
        super().dropped(told)
        for server, one in told.items():
            drop = one.dropped
            rows = drop.confirmed + drop.duplicate + drop.superseded + drop.elsewhere
            self._tally(server).dropped += rows

    def committed(self, shard: int, told: Any, *, seconds: float) -> None:
        super().committed(shard, told, seconds=seconds)
        for server, one in cast("dict[str, Told]", told).items():
            self._tally(server).published += one.published + one.changed
            self._tally(server).dead_lettered += one.dead_lettered

    def commit_failed(self, shard: int, error: KafkaFailed, *, pending: int, retry_in: float) -> None:
        super().commit_failed(shard, error, pending=pending, retry_in=retry_in)
        self.texts.append("".join(format_exception(error)))

    def _tally(self, server: str) -> Tally:
        return self.tallies.setdefault(server, Tally())


@dataclass(slots=True)
class Running:
    """An instance with what belongs to its process."""

    instance: Instance
    observer: AuditedObserver
    metrics: Metrics
    overview: Overview
    apis: list[WolkvoxApi]


@dataclass
class Stage:
    """The world of one script; make it within the loop. `interval` is that of all sources but those in `intervals`."""

    folder: Path
    servers: Sequence[str]
    interval: float
    timeout: float
    rate: float
    quota: int = 100_000
    seed: int = 1
    intervals: dict[str, float] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    """The name of the token file by server, where it is not the server's own."""
    log: io.StringIO = field(default_factory=io.StringIO)
    pages: list[str] = field(default_factory=list)
    running: list[Running] = field(default_factory=list)
    ended: list[Running] = field(default_factory=list)
    kafka: MemoryKafka = field(default_factory=MemoryKafka)
    down: bool = False
    clock: ManualClock = field(init=False)
    api: SimulatedApi = field(init=False)
    most_busy: int = 0

    def __post_init__(self) -> None:
        self.clock = ManualClock.of_loop()
        self.rng = Random(self.seed)
        self.coordinator = Coordinator(shards=SHARDS)
        configure(level="debug", format="json", stream=self.log, clock=self.clock, strict=True)
        sources = {server: self._source(server) for server in self.servers}
        self.api = SimulatedApi(sources=sources, plan=FaultPlan(), clock=self.clock)
        self._app = self.api.app()
        self._started = 0

    async def until(self, seconds: float) -> None:
        """Let time go by, up to so many seconds since the start."""
        await asyncio.sleep(max(0.0, seconds - asyncio.get_running_loop().time()))

    def fault(self, server: str, fault: str | None, *, seconds: float = 0.0) -> None:
        """What the API of one server does from now on."""
        self.api.sources[server].faults.switch(fault, until=self.clock.now().wall + seconds)

    def token_file(self, server: str) -> Path:
        """Where a source's token is read at each use."""
        return self.folder / self.tokens.get(server, server)

    def rotate(self, name: str, *, api: Sequence[str], files: bool = True) -> None:
        """Another token for these servers: at the API, and unless `files` is false in their file."""
        for server in api:
            self.api.sources[server].token = canary(name)
            if files:
                self.token_file(server).write_text(canary(name) + "\n")

    def start(self) -> Running:
        """One more instance."""
        self._started += 1
        metrics = Metrics()
        observer = AuditedObserver(metrics=metrics, clock=self.clock)
        apis: list[WolkvoxApi] = []
        around = Surroundings(
            coordinator=self.coordinator,
            api=lambda setup, clock: self._client(setup, clock, apis),
            store=self._store,
            reachable=lambda _process: not self.down,
            delay=lambda: self.rng.uniform(0, 0.1),
            quota=_quota,
        )
        setups = [self._setup(server) for server in self.servers]
        name = f"instance-{self._started}"
        rng = Random(f"{self.seed}/{name}")
        instance = Instance(name, setups, around, clock=self.clock, rng=rng, observer=observer)
        # The overview only looks: at the sources' settings, the all_rounds, and which shard is whose.
        overview = Overview(
            cast("Any", _Settings(setups)),
            instance=name,
            wiring=cast("Any", instance),
            cluster=cast("Any", instance),
            fleet=instance.fleet,
            observer=observer,
            clock=self.clock,
        )
        one = Running(instance, observer, metrics, overview, apis)
        self.running.append(one)
        instance.start()
        return one

    async def crash(self, one: Running) -> None:
        """SIGKILL."""
        await self._end(one, one.instance.kill())

    async def stop(self, one: Running) -> None:
        """SIGTERM."""
        await self._end(one, one.instance.stop())

    async def look(self, *, every: float) -> None:
        """Somebody looks at the page, the metrics and the load again and again."""
        while True:
            for one in self.running:
                self.page(one)
            await asyncio.sleep(every)

    def page(self, one: Running) -> None:
        """One look."""
        status = one.overview.status()
        one.metrics.reflect(status)
        errors = [source.error for source in status.sources]
        self.pages.append(orjson.dumps([status_json(status), errors, status.unready]).decode())
        metrics = one.metrics.exposition()[0].decode()
        # Python's and the process's own are about the machine: its seconds and bytes may look like anything.
        self.pages += [line for line in metrics.splitlines() if line.startswith(PREFIX)]

    def told(self) -> str:
        """Everything that a person could have read anywhere."""
        texts = [text for one in (*self.running, *self.ended) for text in one.observer.texts]
        return "\n".join([self.log.getvalue(), *self.pages, *texts])

    async def _end(self, one: Running, ending: Awaitable[object]) -> None:
        self.page(one)
        self.running.remove(one)
        self.ended.append(one)
        await ending
        for api in one.apis:
            await api.aclose()

    def _source(self, server: str) -> SimulatedSource:
        name = self.tokens.get(server, server)
        self.token_file(server).write_text(canary(name))
        # More hits in the report than WOLKVOX_WINDOW promises, so that a late one is in it for as long as that.
        centre = CallCentre(f"{self.seed}/{server}", rate=self.rate, window=800.0, late_by=150.0, start=WALL - 600.0)
        return SimulatedSource(
            server=server, token=canary(name), centre=centre, quota=self.quota, started=self.clock.now().wall
        )

    def _setup(self, server: str) -> SourceSetup:
        path = self.token_file(server)
        interval = self.intervals.get(server, self.interval)
        return SourceSetup(
            server=server, token=lambda: path.read_text().strip(), interval=interval, timeout=self.timeout
        )

    def _client(self, setup: SourceSetup, clock: Clock, made: list[WolkvoxApi]) -> Api:
        api = WolkvoxApi(
            server=setup.server,
            url=f"https://wv{setup.server}.wolkvox.com",
            token=setup.token,
            timeout=setup.timeout,
            clock=clock,
            transport=InMemoryTransport(self._watched, latency=lambda: self.rng.uniform(0.01, 0.4)),
        )
        made.append(api)
        return api

    async def _watched(self, scope: Any, receive: Any, send: Any) -> None:
        watch = asyncio.get_running_loop().call_soon(self._count_busy)
        try:
            await self._app(scope, receive, send)
        finally:
            watch.cancel()
            self._count_busy()

    def _count_busy(self) -> None:
        self.most_busy = max(self.most_busy, *self.api.busy.values(), 0)

    def _store(self, _process: Process, number: int, servers: Sequence[str]) -> ShardStore:
        store = MemoryShardStore(self.kafka, number=number, servers=servers)
        store.latency = 0.05
        return _OnCluster(store, self)


class _OnCluster:
    """A store whose cluster may be down."""

    progress = None

    def __init__(self, store: MemoryShardStore, stage: Stage) -> None:
        self._store = store
        self._stage = stage

    @property
    def limit(self) -> int:
        return self._store.limit

    async def take(self) -> Any:
        self._store.down = self._stage.down
        return await self._store.take()

    async def commit(self, records: Any) -> None:
        self._store.down = self._stage.down
        await self._store.commit(records)

    async def discard(self) -> None:
        await self._store.discard()


@dataclass(frozen=True, slots=True)
class _Settings:
    sources: Sequence[SourceSetup]


def canary(name: str) -> str:
    """A token that can be recognised wherever it turns up."""
    return f"c4n4ry-t0ken-{name}"


def _quota(api: Api) -> Callable[[], Awaitable[Quota]]:
    assert isinstance(api, WolkvoxApi)

    async def ask() -> Quota:
        info = await api.token_info()
        return Quota(limit=info.token_limit, left=info.available_consumption_options)

    return ask
