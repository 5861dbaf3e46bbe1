"""200 sources of some 300 rows each, polled each 5 s by one process: its share of one core."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter

import orjson
import psutil

from producer.demo.broker import EmbeddedKafka
from tests.benchmarks.child import REPOSITORY, environment, simulator
from tests.benchmarks.measures import Figure, Report

SOURCES, INTERVAL, SECONDS = 200, 5, 20
ROWS, WINDOW = 300, 600
ABOUT = (
    f"`wolkvox-hits run` with {SOURCES} sources of some {ROWS} rows, polled each {INTERVAL} s from a simulator in "
    f"another process, its events committed to the broker: processor time over {SECONDS} s, once all were polled"
)


async def run(kafka: EmbeddedKafka) -> Report:
    """The service and the simulator, each a process of its own."""
    async with simulator("--rate", str(ROWS / WINDOW), "--window", f"{WINDOW}s", servers=SOURCES) as settings:
        variables = environment(kafka.bootstrap, "bench.fleet", settings, POLL_INTERVAL=f"{INTERVAL}s")
        service = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "producer", "run"), env=variables, cwd=REPOSITORY, stdout=DEVNULL, stderr=PIPE
        )
        told: Counter[str] = Counter()
        polled = asyncio.Event()
        reading = asyncio.create_task(_read(service, told, polled))
        try:
            share, counts = await _watch(service, told, polled)
        finally:
            service.terminate()
            await service.wait()
            await reading
    return Report(
        "fleet",
        ABOUT,
        [
            Figure("share of one core", 100 * share, "%", at_most=60),
            Figure("polls", counts["poll_done"] / SECONDS, "/s"),
            Figure("transactions", counts["committed"] / SECONDS, "/s"),
            Figure("polls that failed or came late", counts["poll_failed"] + counts["poll_overrun"], ""),
        ],
    )


async def _watch(service: Process, told: Counter[str], polled: asyncio.Event) -> tuple[float, Counter[str]]:
    async with asyncio.timeout(60):
        await polled.wait()
    process = psutil.Process(service.pid)
    before, counted = process.cpu_times(), Counter(told)
    await asyncio.sleep(SECONDS)
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / SECONDS, told - counted


async def _read(service: Process, told: Counter[str], polled: asyncio.Event) -> None:
    assert service.stderr is not None
    async for line in service.stderr:
        if line.startswith(b"{"):
            told[orjson.loads(line)["event"]] += 1
        if told["poll_done"] >= 2 * SOURCES:
            polled.set()
