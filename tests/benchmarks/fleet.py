"""Many sources of some 300 rows each, polled by one process: its share of one core."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
import psutil

from producer.demo.broker import EmbeddedKafka
from tests.benchmarks.child import REPOSITORY, environment, simulator
from tests.benchmarks.measures import Figure, Report

ROWS, WINDOW = 300, 600


@dataclass(frozen=True, slots=True)
class Fleet:
    """So many sources, each polled so often, watched for so long; `most` is the bound in per cent of a core."""

    sources: int
    interval: int
    seconds: int
    most: float | None = None


FLEETS = (Fleet(sources=200, interval=5, seconds=20, most=20), Fleet(sources=1_000, interval=30, seconds=60))


async def run(kafka: EmbeddedKafka) -> Sequence[Report]:
    """One after the other."""
    return [await _run(kafka, fleet) for fleet in FLEETS]


async def _run(kafka: EmbeddedKafka, fleet: Fleet) -> Report:
    """The service and the simulator, each a process of its own."""
    name = f"fleet {fleet.sources}"
    async with simulator("--rate", str(ROWS / WINDOW), "--window", f"{WINDOW}s", servers=fleet.sources) as settings:
        topic = f"bench.fleet{fleet.sources}"
        variables = environment(kafka.bootstrap, topic, settings, POLL_INTERVAL=f"{fleet.interval}s")
        service = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "producer", "run"), env=variables, cwd=REPOSITORY, stdout=DEVNULL, stderr=PIPE
        )
        told: Counter[str] = Counter()
        polled = asyncio.Event()
        reading = asyncio.create_task(_read(service, told, polled, polls=2 * fleet.sources))
        try:
            share, counts = await _watch(service, told, polled, seconds=fleet.seconds)
        finally:
            service.terminate()
            await service.wait()
            await reading
    return Report(
        name,
        f"`wolkvox-hits run` with {fleet.sources} sources of some {ROWS} rows, polled each {fleet.interval} s from a "
        "simulator in another process, its events committed to the broker: processor time over "
        f"{fleet.seconds} s, once each was polled twice",
        [
            Figure("share of one core", 100 * share, "%", at_most=fleet.most),
            Figure("polls", counts["poll_done"] / fleet.seconds, "/s"),
            Figure("transactions", counts["committed"] / fleet.seconds, "/s"),
            Figure("polls that failed or came late", counts["poll_failed"] + counts["poll_overrun"], ""),
        ],
    )


async def _watch(
    service: Process, told: Counter[str], polled: asyncio.Event, *, seconds: float
) -> tuple[float, Counter[str]]:
    async with asyncio.timeout(120):
        await polled.wait()
    process = psutil.Process(service.pid)
    before, counted = process.cpu_times(), Counter(told)
    await asyncio.sleep(seconds)
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / seconds, told - counted


async def _read(service: Process, told: Counter[str], polled: asyncio.Event, *, polls: int) -> None:
    assert service.stderr is not None
    async for line in service.stderr:
        if line.startswith(b"{"):
            told[orjson.loads(line)["event"]] += 1
        if told["poll_done"] >= polls:
            polled.set()
