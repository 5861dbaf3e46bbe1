"""Processor and peak memory of the service for a full report, by the system's own account; and whether it grows."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from resource import struct_rusage
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
    used: list[struct_rusage] = []
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
            Figure("user and system time, start included", median(one.ru_utime + one.ru_stime for one in used), "s"),
            Figure("peak memory", median(one.ru_maxrss for one in used) * 1024 / 1e6, "MB", at_most=250),
            Figure("resident after 200 polls", flat["early"] / 1e6, "MB"),
            Figure("growth from there to 1,000 polls", (flat["late"] - flat["early"]) / 1e6, "MB", at_most=GROWTH),
        ],
    )


def _once(variables: Mapping[str, str]) -> struct_rusage:
    command = [sys.executable, "-m", "producer", "run", "--once"]
    with subprocess.Popen(
        command, env=variables, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as child:
        assert child.stderr is not None
        said = child.stderr.read()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"run --once ended with {child.returncode}: {said.decode()[-2000:]}")
    return used
