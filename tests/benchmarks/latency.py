"""How long a hit waits from the answer to the commit, and how long the event loop stands still for a full snapshot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from statistics import quantiles

from producer.demo.broker import EmbeddedKafka
from tests.benchmarks.answers import ROWS, body
from tests.benchmarks.measures import Figure, Report
from tests.benchmarks.stage import Stage, staged

POLLS, SMALL, FEW = 300, 300, 5
TICK = 0.005
FULL = 5
LONGEST = 200
"""Milliseconds that the event loop may stand still."""
ABOUT = (
    f"{POLLS} polls of {SMALL} rows, {FEW} of them new, each committed at once: from the answer to the end of the "
    f"transaction. Then {FULL} of {ROWS:,} new rows beside a task that wants to run each {TICK * 1e3:g} ms: "
    "how late it was at most"
)


async def run(kafka: EmbeddedKafka) -> Report:
    """Small snapshots for the latency, full ones for the blocks."""
    async with staged(kafka.bootstrap, "latency") as stage:
        seconds = sorted(await _latencies(stage))
        blocks = await _blocks(stage)
    cuts = quantiles(seconds, n=100)
    return Report(
        "latency",
        ABOUT,
        [
            Figure("answer to committed, p50", cuts[49] * 1e3, "ms"),
            Figure("answer to committed, p99", cuts[98] * 1e3, "ms"),
            Figure("longest block of the loop", max(blocks) * 1e3, "ms", at_most=LONGEST),
        ],
    )


async def _latencies(stage: Stage) -> list[float]:
    source = stage.source(stage.servers[0])
    source.answer = body(SMALL)
    await source.both()
    found = []
    for number in range(1, POLLS + 1):
        source.answer = body(SMALL, first=number * FEW)
        began = time.perf_counter()
        await source.both()
        found.append(time.perf_counter() - began)
    return found


async def _blocks(stage: Stage) -> list[float]:
    answer = body(ROWS)
    found = []
    for server in stage.servers[1 : FULL + 1]:
        source = stage.source(server)
        source.answer = answer
        found.append(await blocks_beside(source.both))
    return found


async def blocks_beside(work: Callable[[], Awaitable[object]]) -> float:
    """The longest block of the loop while `work` is done, in seconds."""
    late: list[float] = []
    ticking = asyncio.create_task(_tick(late))
    await work()
    ticking.cancel()
    return max(late)


async def _tick(late: list[float]) -> None:
    while True:
        due = time.perf_counter() + TICK
        await asyncio.sleep(TICK)
        late.append(time.perf_counter() - due)
