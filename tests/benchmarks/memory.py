"""Processor and peak memory of the service for a full report, by the system's own account; and whether it grows."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from statistics import median

import orjson

from producer.demo.broker import EmbeddedKafka
from tests.benchmarks.answers import ROWS
from tests.benchmarks.child import REPOSITORY, environment, simulator
from tests.benchmarks.measures import Figure, Report

ROUNDS = 3
WINDOW = 600
GROWTH = 4.0
"""MB that 800 polls may add to the resident set: the allocator's slack, not a row a poll."""
ABOUT = (
    f"`wolkvox-hits run --once` as a process of its own, with a simulated report of {ROWS:,} rows, all new (getrusage "
    "of the child). Then, in another process, a thousand polls of 2,000 rows, 40 of them new, five minutes apart"
)


async def run(kafka: EmbeddedKafka) -> Report:
    """One child a round on topics of its own; then the one that polls a thousand times."""
    used: list[dict[str, float]] = []
    async with simulator("--rate", str(ROWS / WINDOW), "--window", f"{WINDOW}s", "--late", "0") as settings:
        for number in range(ROUNDS):
            variables = environment(kafka.bootstrap, f"bench.memory{number}", settings)
            used.append(await asyncio.to_thread(_once, variables))
    flat = orjson.loads(
        await asyncio.to_thread(
            subprocess.check_output, [sys.executable, "-m", "tests.benchmarks.flat"], cwd=REPOSITORY
        )
    )
    return Report(
        "memory",
        ABOUT,
        [
            Figure("user and system time, start included", median(one["cpu"] for one in used), "s"),
            Figure("peak memory", median(one["peak"] for one in used) / 1e6, "MB", at_most=160),
            Figure("resident after 200 polls", flat["early"] / 1e6, "MB"),
            Figure("growth from there to 1,000 polls", (flat["late"] - flat["early"]) / 1e6, "MB", at_most=GROWTH),
        ],
    )


def _once(variables: Mapping[str, str]) -> dict[str, float]:
    service = [sys.executable, "-m", "producer", "run", "--once"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.account", *service],
        env=variables,
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"run --once ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    used: dict[str, float] = orjson.loads(done.stdout)
    return used
