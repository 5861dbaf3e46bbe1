"""One run: two instances, three brokers, a call centre, and everything that the plan has for them."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from producer.demo.simulator import Simulator, settings_lines
from producer.kafka.topics import LEDGER_SHARDS
from producer.ledger import shard_of
from tests.chaos import waits
from tests.chaos.cluster import Cluster, Network
from tests.chaos.plan import INSTANCES, Kind, Trouble, plan
from tests.chaos.verdict import Shown, Verdict, verdict
from tests.integration.service.audit import audit
from tests.integration.service.instance import Instance

TOPIC, TOKEN = "chaos.hits", "chaos-token"
LONG, SHORT = 600.0, 30.0
"""Seconds that a hit stays in the report: of most servers longer than any trouble, of the last one not."""
SETTLE = 180.0
BUSIEST = 0.6
"""Of one core, each process over its life: starting takes half a second of it, and some live for a few only."""


@dataclass(slots=True)
class Outcome:
    """What a run came to."""

    seed: int
    seconds: float
    verdict: Verdict
    troubles: list[waits.Past]
    recoveries: Mapping[Kind, Sequence[float]]
    story: list[str]
    processes: int
    logs: dict[str, list[str]] = field(default_factory=dict)


class Chaos:
    """`run` it; `say` gets a line for each thing that happens."""

    def __init__(self, *, seed: int, seconds: float, folder: Path, say: Callable[[str], object]) -> None:
        self._seed = seed
        self._seconds = seconds
        self._folder = folder
        self._say = say
        self._servers = _servers()
        self._simulator = Simulator(
            token=TOKEN, servers=self._servers, seed=seed, rate=3.0, window=LONG, late_by=3.0, start=time.time()
        )
        self._cluster = Cluster(INSTANCES)
        self._networks = [Network(self._cluster.ways(place)) for place in range(INSTANCES)]
        self._places: list[Instance | None] = [None] * INSTANCES
        self._all: list[Instance] = []
        self._troubles: list[waits.Past] = []
        self._story: list[str] = []
        self._began = 0.0
        self._busy: list[str] = []

    async def run(self) -> Outcome:
        """Everything, from the first broker to the audit."""
        async with self._opened():
            await self._live()
            await self._settle()
            found = await audit(self._cluster.nodes[0].bootstrap, TOPIC)
            judged = verdict(found, {server: self._shown(server) for server in self._servers})
            await self._stop_all()
        return self._outcome(judged)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        last = self._simulator.sources[self._servers[-1]]
        last.centre = replace(last.centre, window=SHORT)
        async with AsyncExitStack() as stack:
            stack.callback(self._cluster.close)
            await asyncio.to_thread(self._cluster.start)
            for network in self._networks:
                await stack.enter_async_context(network)
            await stack.enter_async_context(self._simulator)
            stack.push_async_callback(self._kill_all)
            yield

    async def _live(self) -> None:
        self._began = time.time()
        for place in range(INSTANCES):
            await self._start(place)
        await self._all[0].until("committed")
        async with asyncio.TaskGroup() as lanes:
            for lane in plan(self._seed, seconds=self._seconds):
                lanes.create_task(self._lane(lane))

    async def _lane(self, lane: Sequence[Trouble]) -> None:
        for trouble in lane:
            await asyncio.sleep(max(0.0, self._began + trouble.at - time.time()))
            self._tell(str(trouble))
            began = time.time()
            await self._go_through(trouble)
            self._troubles.append(waits.Past(trouble.kind, began, time.time()))

    async def _go_through(self, trouble: Trouble) -> None:
        match trouble.kind:
            case Kind.KILL | Kind.TERM:
                await self._down(trouble)
            case Kind.PAUSE:
                await self._pause(trouble)
            case Kind.CUT | Kind.REFUSE | Kind.SLOW:
                await self._disturb(self._networks[trouble.target], trouble)
            case Kind.API:
                self._simulator.fault = trouble.detail
                await asyncio.sleep(trouble.seconds)
                self._simulator.fault = None
            case _:
                await self._broker(trouble)

    async def _down(self, trouble: Trouble) -> None:
        instance, self._places[trouble.target] = self._places[trouble.target], None
        assert instance is not None
        self._weigh(instance)
        if trouble.kind is Kind.KILL:
            await instance.kill()
        else:
            self._tell(f"{instance.name} ended after {await instance.stop():.1f} s")
        await asyncio.sleep(trouble.seconds)
        await self._start(trouble.target)

    async def _pause(self, trouble: Trouble) -> None:
        instance = self._places[trouble.target]
        assert instance is not None
        instance.send(signal.SIGSTOP)
        await asyncio.sleep(trouble.seconds)
        instance.send(signal.SIGCONT)

    async def _disturb(self, network: Network, trouble: Trouble) -> None:
        if trouble.kind is Kind.CUT:
            network.cut()
        elif trouble.kind is Kind.SLOW:
            network.late(0.3)
        else:
            await network.refuse()
        await asyncio.sleep(trouble.seconds)
        await network.mend()

    async def _broker(self, trouble: Trouble) -> None:
        node = self._cluster.nodes[trouble.target]
        if trouble.kind is Kind.NODE_PAUSE:
            node.suspend()
            await asyncio.sleep(trouble.seconds)
            node.resume()
            return
        victims = self._cluster.nodes if trouble.kind is Kind.CLUSTER_KILL else [node]
        for victim in victims:
            await asyncio.to_thread(victim.stop if trouble.kind is Kind.NODE_STOP else victim.kill)
        await asyncio.sleep(trouble.seconds)
        await asyncio.to_thread(self._cluster.start)

    async def _start(self, place: int) -> None:
        instance = Instance(
            name=f"{'ab'[place]}{len(self._all)}",
            environment=self._environment(place),
            program=["-m", "producer", "run"],
        )
        self._places[place] = instance
        self._all.append(instance)
        await instance.start()

    def _environment(self, place: int) -> dict[str, str]:
        file = self._folder / "sources.toml"
        tables = settings_lines(self._simulator)
        tables[-1] += f'window = "{SHORT - 5:g}s"\n'
        file.write_text("\n".join(tables))
        return {
            "PATH": "",
            "WOLKVOX_HITS_CONFIG": str(file),
            "WOLKVOX_WINDOW": f"{LONG - 5:g}s",
            "POLL_INTERVAL": "1s",
            "POLL_TIMEOUT": "5s",
            "KAFKA_BOOTSTRAP_SERVERS": self._cluster.behind(place),
            "KAFKA_TOPIC": TOPIC,
            "KAFKA_SESSION_TIMEOUT": "6s",
            "KAFKA_PARTITIONS": "3",
            "KAFKA_REPLICATION_FACTOR": "3",
            "STATUS_PORT": "0",
        }

    async def _settle(self) -> None:
        """All is well, nobody calls any more, and each source's owner has nothing new and nothing that waits."""
        self._tell("all is well from now on")
        await asyncio.sleep(5.0)  # the last late rows
        self._simulator.stop_calls()
        running = [one for one in self._places if one is not None]
        for server in self._servers:
            marks = {one: one.mark() for one in running}
            waiting = [
                asyncio.create_task(one.until("poll_done", since=since, within=SETTLE, server=server, new=0, pending=0))
                for one, since in marks.items()
            ]
            done, late = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
            done.pop().result()

    def _shown(self, server: str) -> Shown:
        source = self._simulator.sources[server]
        centre, now = source.centre, self._simulator.api.now()
        last = int((now - centre.start) * centre.rate) + 1
        hits = {hit.conn_id: hit for hit in map(centre.hit, range(last + 1))}
        unseen = source.audit.never_shown(centre, now)
        return Shown(frozenset(source.shown), unseen, hits, forgetful=server == self._servers[-1])

    async def _stop_all(self) -> None:
        for place, instance in enumerate(self._places):
            if instance is not None:
                self._places[place] = None
                self._weigh(instance)
                self._tell(f"{instance.name} ended after {await instance.stop():.1f} s")

    async def _kill_all(self) -> None:
        for instance in self._all:
            with suppress(ProcessLookupError):
                await instance.kill()

    def _weigh(self, instance: Instance) -> None:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(instance.process.pid)
            used, lived = sum(process.cpu_times()[:2]), time.time() - process.create_time()
            if used > 2.0 + BUSIEST * lived:
                self._busy.append(f"{instance.name} used {used:.1f} s of a core in {lived:.0f} s")

    def _tell(self, text: str) -> None:
        line = f"{time.time() - self._began:7.1f} s  {text}"
        self._story.append(line)
        self._say(line)

    def _outcome(self, judged: Verdict) -> Outcome:
        lines = {one.name: one.lines for one in self._all}
        told = waits.commits([line for some in lines.values() for line in some], self._servers, shards=LEDGER_SHARDS)
        judged.wrong += [*waits.complaints(lines, told), *self._busy]
        judged.wrong += [f"{one.name} ended by itself with {one.process.returncode}" for one in self._all if _died(one)]
        recoveries: dict[Kind, list[float]] = {}
        for trouble in self._troubles:
            if (seconds := waits.after(trouble, told)) is not None:
                recoveries.setdefault(trouble.kind, []).append(seconds)
        logs = {one.name: one.raw for one in self._all}
        return Outcome(self._seed, self._seconds, judged, self._troubles, recoveries, self._story, len(self._all), logs)


def _servers(count: int = 4) -> list[str]:
    """Servers in shards of their own."""
    found: dict[int, str] = {}
    for number in range(1, 9999):
        found.setdefault(shard_of(f"{number:04}", LEDGER_SHARDS), f"{number:04}")
        if len(found) == count:
            break
    return list(found.values())


def _died(instance: Instance) -> bool:
    """Whether it ended otherwise than it was made to: with 0 by SIGTERM, or by SIGKILL."""
    return instance.process.returncode not in (0, -signal.SIGKILL)
