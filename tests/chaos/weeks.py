"""A soak: two instances on three brokers whose segments, retention and ids last seconds, so that weeks fit in an hour.

Every CYCLE certificates and tokens are new, an instance and a broker are restarted, and one source is silent for longer
than the brokers remember its producer. One instance lives from the beginning to the end: it is what is measured.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from producer.kafka.judgement import LEDGER_SHARDS
from tests.chaos import waits
from tests.chaos.cluster import Cluster
from tests.chaos.course import Course
from tests.chaos.flat import Sample, grown
from tests.chaos.follower import Follower
from tests.chaos.plan import BROKERS, INSTANCES
from tests.chaos.secrets import Secrets
from tests.chaos.stage import RUN, TOKEN, TOPIC, Stage
from tests.chaos.verdict import Verdict, verdict
from tests.integration.service.admin import Admin
from tests.integration.service.audit import Audit, audit, read

CYCLE = 150.0
SILENCE = 45.0
"""Seconds that one source is not heard of: more than any broker remembers who wrote for it."""
EVERY = 10.0
LIVES, LEAVES = 0, 1
"""The places of the instance that is measured and of the one that is restarted."""
REPORTS = (90.0, 90.0, 30.0, 30.0)
"""Seconds; a silence is a gap in two of them."""
POLLS_A_DAY = 288
"""Of one source, at the default interval."""

SHORT = {
    "log.roll.ms": "15000",
    "log.retention.check.interval.ms": "5000",
    "log.segment.delete.delay.ms": "1000",
    "log.cleaner.backoff.ms": "1000",
    "log.initial.task.delay.ms": "1000",
    "producer.id.expiration.ms": "15000",
    "producer.id.expiration.check.interval.ms": "3000",
    "transactional.id.expiration.ms": "25000",
    "transaction.remove.expired.transaction.cleanup.interval.ms": "5000",
}
LEDGER = {"segment.ms": "10000", "delete.retention.ms": "5000", "min.cleanable.dirty.ratio": "0.05"}
"""What the operator of this cluster makes of the ledger's hour and day."""


@dataclass(frozen=True, slots=True)
class Weeks:
    """What a soak came to; `happened` counts what it was made for."""

    verdict: Verdict
    samples: Sequence[Sample]
    happened: Mapping[str, int]
    days: float
    logs: Mapping[str, Sequence[str]]


class Soak(Course):
    """`run` it, for so many seconds and at least two cycles; `program` is what the instances run."""

    def __init__(
        self, *, seconds: float, folder: Path, say: Callable[[str], object], program: Sequence[str] = RUN
    ) -> None:
        self._secrets = Secrets(folder, cycle=CYCLE)
        cluster = Cluster(INSTANCES, protocol="SSL", properties=SHORT | self._secrets.brokers())
        settings = {"DEDUP_WINDOW": "60s", "KAFKA_RETENTION": "90s", **self._secrets.clients()}
        stage = Stage(seed=1, folder=folder, cluster=cluster, reports=REPORTS, settings=settings, program=program)
        super().__init__(stage, say=say)
        self._cycles = max(2, round(seconds / CYCLE))
        self._happened = Counter[str]()
        self._samples: list[Sample] = []

    async def run(self) -> Weeks:
        """Everything, from the first broker to the audit."""
        stage, bootstrap = self._stage, self._stage.cluster.nodes[0].bootstrap
        async with stage.opened():
            await self._begin()
            for name, value in LEDGER.items():
                await Admin(bootstrap).configure(f"{TOPIC}.ledger", name, value)
            async with Follower(bootstrap, TOPIC) as follower:
                looking = asyncio.create_task(self._look(follower))
                for number in range(self._cycles):
                    await self._cycle(number)
                looking.cancel()
                with suppress(asyncio.CancelledError):
                    await looking
                await self._settle()
                for place in range(INSTANCES):
                    await self._stop(place)
                now = await audit(bootstrap, TOPIC)
                ever = await follower.until(now)
            self._happened["transactional ids expired"] = await _expired(bootstrap)
        return self._judged(ever, now)

    async def _cycle(self, number: int) -> None:
        self._tell(f"cycle {number + 1} of {self._cycles}")
        began = time.time()
        self._secrets.client()
        for server in self._stage.servers:
            self._stage.give_token(server, f"{TOKEN}-{server}-{number}")
        self._happened["client certificates and tokens replaced"] += 1
        await asyncio.sleep(10.0)
        await self._stop(LEAVES)
        await self._stage.start(LEAVES)
        self._happened["instance restarts"] += 1
        await asyncio.sleep(20.0)
        await self._silence(self._stage.servers[number % len(REPORTS)])
        await asyncio.sleep(10.0)
        await self._restart_broker(number % BROKERS)
        await asyncio.sleep(max(0.0, began + CYCLE - time.time()))

    async def _silence(self, server: str) -> None:
        self._tell(f"{server} is silent for {SILENCE:g} s")
        faults = self._stage.simulator.sources[server].faults
        faults.switch("http-500")
        await asyncio.sleep(SILENCE)
        faults.switch(None)
        self._happened["silences"] += 1

    async def _restart_broker(self, number: int) -> None:
        self._tell(f"broker {number + 1} restarts, with a new certificate")
        node = self._stage.cluster.nodes[number]
        self._secrets.broker()
        await asyncio.to_thread(node.restart)
        self._happened["broker restarts, each with a new certificate"] += 1

    async def _look(self, follower: Follower) -> None:
        instance = self._stage.places[LIVES]
        assert instance is not None
        process = psutil.Process(instance.process.pid)
        while True:
            await asyncio.sleep(EVERY)
            ids = await asyncio.to_thread(follower.remembered)
            self._samples.append(
                Sample(
                    at=time.time() - self._began,
                    memory=process.memory_info().rss,
                    descriptors=process.num_fds(),
                    ledger=self._bytes(f"{TOPIC}.ledger-*"),
                    events=self._bytes(f"{TOPIC}-*"),
                    ids=ids,
                )
            )

    def _bytes(self, partitions: str) -> int:
        """On the disks of all brokers; one that restarts has its data still."""
        files = [file for node in self._stage.cluster.nodes for file in node.folder.glob(f"data/{partitions}/*.log")]
        return sum(_size(file) for file in files)

    def _judged(self, ever: Audit, now: Audit) -> Weeks:
        stage = self._stage
        found = verdict(ever, stage.shown(), forgets=True)
        self._happened["events deleted"] = len(ever.hits) - len(now.hits)
        self._happened["ledger records compacted away"] = len(ever.ledger) - len(now.ledger)
        found.wrong += [f"no {what} in all the time" for what, times in self._happened.items() if times <= 0]
        if lost := ever.told("told/", "dead/") ^ now.told("told/", "dead/"):
            found.wrong.append(f"compaction changed the ledger's fold by {len(lost)} ids: {sorted(lost)[:3]}")
        lines = {one.name: one.lines for one in stage.all}
        told = waits.commits([line for some in lines.values() for line in some], stage.servers, shards=LEDGER_SHARDS)
        found.wrong += [*grown(self._samples), *waits.complaints(lines, told), *stage.busy, *stage.died()]
        days = stage.simulator.polls / len(stage.servers) / POLLS_A_DAY
        return Weeks(found, self._samples, self._happened, days, {one.name: one.raw for one in stage.all})


async def _expired(bootstrap: str) -> int:
    """The brokers put a tombstone where they forget a transactional id."""
    states = await read(bootstrap, "__transaction_state")
    return sum(record.value is None and f"{TOPIC}.ledger-" in record.key for record in states)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # deleted meanwhile, which is what this is for
        return 0
