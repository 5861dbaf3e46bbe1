"""What a run plays on: three brokers, two places for instances, each with a network of its own, and a call centre."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil

from producer.core.ledger import shard_of
from producer.demo.broker.cache import write_whole
from producer.demo.broker.embedded import NONE
from producer.demo.simulator import Simulator
from producer.kafka.judgement import LEDGER_SHARDS
from tests.chaos.cluster import Cluster, Network
from tests.chaos.plan import INSTANCES
from tests.chaos.verdict import Shown
from tests.integration.service.instance import Instance

TOPIC, TOKEN = "chaos.hits", "chaos-token"
REPORTS = (600.0, 600.0, 30.0, 12.0)
"""Seconds that a hit stays in each server's report: of the first two longer than any trouble, of the others not."""
LATE_BY, SLACK = 3.0, 5.0
TYPIFY_LATE, TYPIFY_BY = 0.3, 3.0
"""The share of rows that show an empty `hit` first, and how many seconds each next word of theirs takes at most."""
BUSIEST = 0.6
"""Of one core, each process over its life: starting takes half a second of it, and some live for a few only."""


RUN = ("-m", "producer", "run")


class Stage:
    """Open it, and `start` instances at its places; `all` are those that ever were.

    `reports` are the seconds that a hit stays in each server's report; `settings` are the instances', `program` is what
    they run, and `cluster` what they run on.
    """

    def __init__(
        self,
        *,
        seed: int,
        folder: Path,
        cluster: Cluster | None = None,
        reports: Sequence[float] = REPORTS,
        settings: Mapping[str, str] = NONE,
        program: Sequence[str] = RUN,
    ) -> None:
        self.servers = servers(len(reports))
        self.simulator = Simulator(
            token=TOKEN,
            servers=self.servers,
            seed=seed,
            rate=3.0,
            late_by=LATE_BY,
            start=time.time(),
            typify_late=TYPIFY_LATE,
            typify_by=TYPIFY_BY,
        )
        self.cluster = cluster or Cluster(INSTANCES)
        self.networks = [Network(self.cluster.ways(place)) for place in range(INSTANCES)]
        self.places: list[Instance | None] = [None] * INSTANCES
        self.all: list[Instance] = []
        self.busy: list[str] = []
        self._folder, self._reports, self._settings, self._program = folder, reports, settings, program

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Brokers, networks and API are there; at the end nothing is left of them."""
        for source, window in zip(self.simulator.sources.values(), self._reports, strict=True):
            source.centre = replace(source.centre, window=window)
        async with AsyncExitStack() as stack:
            stack.callback(self.cluster.close)
            await asyncio.to_thread(self.cluster.start)
            for network in self.networks:
                await stack.enter_async_context(network)
            await stack.enter_async_context(self.simulator)
            stack.push_async_callback(self._kill_all)
            yield

    async def start(self, place: int) -> None:
        """A new instance at a place."""
        name = f"{'ab'[place]}{len(self.all)}"
        instance = Instance(name=name, environment=self._environment(place), program=self._program)
        self.places[place] = instance
        self.all.append(instance)
        await instance.start()

    def vacate(self, place: int) -> Instance:
        """Who is there, to be ended; it is seen how much he worked."""
        instance, self.places[place] = self.places[place], None
        assert instance is not None
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(instance.process.pid)
            used, lived = sum(process.cpu_times()[:2]), time.time() - process.create_time()
            if used > 2.0 + BUSIEST * lived:
                self.busy.append(f"{instance.name} used {used:.1f} s of a core in {lived:.0f} s")
        return instance

    def give_token(self, server: str, token: str) -> None:
        """From now on this is the server's token, and what the instances are given as such."""
        self.simulator.sources[server].token = token
        write_whole(self._token_file(server), token.encode())

    def shown(self) -> Mapping[str, Shown]:
        """What the API has done, by server."""
        return {server: self._shown(server) for server in self.servers}

    def died(self) -> list[str]:
        """Those that ended otherwise than they were made to: with 0 by SIGTERM, or by SIGKILL."""
        codes = {one.name: one.process.returncode for one in self.all}
        return [
            f"{name} ended by itself with {code}" for name, code in codes.items() if code not in (0, -signal.SIGKILL)
        ]

    def _shown(self, server: str) -> Shown:
        source = self.simulator.sources[server]
        centre, now = source.centre, self.simulator.api.now()
        last = int((now - centre.start) * centre.rate) + 1
        hits = {hit.conn_id: hit for hit in map(centre.hit, range(last + 1))}
        unseen = source.audit.never_shown(centre, now)
        return Shown(frozenset(source.shown), unseen, hits, centre.window, source.audit.said)

    def _environment(self, place: int) -> dict[str, str]:
        file = self._folder / "sources.toml"
        file.write_text("\n".join(map(self._table, self.servers, self._reports)))
        return {
            "PATH": "",
            "WOLKVOX_HITS_CONFIG": str(file),
            "POLL_INTERVAL": "1s",
            "POLL_TIMEOUT": "5s",
            "KAFKA_BOOTSTRAP_SERVERS": self.cluster.behind(place),
            "KAFKA_TOPIC": TOPIC,
            "KAFKA_SESSION_TIMEOUT": "6s",
            "KAFKA_PARTITIONS": "3",
            "KAFKA_REPLICATION_FACTOR": "3",
            "STATUS_PORT": "0",
            **self._settings,
        }

    def _table(self, server: str, reach: float) -> str:
        self.give_token(server, self.simulator.sources[server].token)
        return (
            f'[[source]]\nserver = "{server}"\nurl = "{self.simulator.url_of(server)}"\n'
            f'token_file = "{self._token_file(server)}"\nwindow = "{reach - SLACK:g}s"\n'
        )

    def _token_file(self, server: str) -> Path:
        return self._folder / f"{server}.token"

    async def _kill_all(self) -> None:
        for instance in self.all:
            with suppress(ProcessLookupError):
                await instance.kill()


def servers(count: int) -> list[str]:
    """Servers in shards of their own."""
    found: dict[int, str] = {}
    for number in range(1, 9999):
        found.setdefault(shard_of(f"{number:04}", LEDGER_SHARDS), f"{number:04}")
        if len(found) == count:
            break
    return list(found.values())
