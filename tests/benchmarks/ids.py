"""What a remembered id costs in memory, and that a million cost ten times what a hundred thousand do.

Each number of ids in a fresh process of its own (`python -m tests.benchmarks.ids 250000`): the allocator keeps what an
earlier one had.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import tracemalloc
from collections.abc import Mapping, Sequence
from itertools import pairwise

import orjson
import psutil

from producer.clock import SystemClock
from producer.core.fold import Fold
from producer.core.source import Source
from producer.demo.broker import EmbeddedKafka
from tests.benchmarks.answers import conn_id
from tests.benchmarks.child import REPOSITORY
from tests.benchmarks.ledger import ledger_of
from tests.benchmarks.measures import Figure, Report

COUNTS = (100_000, 250_000, 500_000, 1_000_000)
SERVER, KEEP, WINDOW = "0042", 7200.0, 600.0
MOST = 150
"""Bytes of an id with its digest."""
STEEPEST, FLATTEST = 1.25, 0.8
"""A slope between two neighbouring counts against the slope from the first to the last; linear is 1."""


async def run(kafka: EmbeddedKafka) -> Report:
    """Two children for each count: tracing doubles what is resident."""
    resident = {count: (await _child(count))["resident"] for count in COUNTS}
    traced = {count: await _child(count, "traced") for count in COUNTS}
    slopes = [_slope(resident, low, high) for low, high in pairwise(COUNTS)]
    whole = _slope(resident, COUNTS[0], COUNTS[-1])
    most = traced[COUNTS[-1]]
    return Report(
        "ids",
        f"a ledger's ids, {len(conn_id(0))} characters and longer, folded and restored in a fresh process: resident "
        "bytes that it adds, and by Python's own account",
        [
            *(Figure(f"{count:,} ids, resident", resident[count] / count, "B/id") for count in COUNTS),
            Figure("flattest slope to the whole", min(slopes) / whole, at_least=FLATTEST),
            Figure("steepest slope to the whole", max(slopes) / whole, at_most=STEEPEST),
            Figure(f"{COUNTS[-1]:,} ids, Python's objects", most["live"] / COUNTS[-1], "B/id", at_most=MOST),
            Figure("their peak while they are restored", most["peak"] / COUNTS[-1], "B/id"),
            Figure("their peak while they are read again", most["again"] / COUNTS[-1], "B/id"),
        ],
    )


def _slope(resident: Mapping[int, float], low: int, high: int) -> float:
    return (resident[high] - resident[low]) / (high - low)


async def _child(*arguments: object) -> Mapping[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.ids", *map(str, arguments)]
    told_of: Mapping[str, float] = orjson.loads(
        await asyncio.to_thread(subprocess.check_output, command, cwd=REPOSITORY)
    )
    return told_of


def _restore(source: Source, count: int) -> None:
    fold = Fold()
    fold.apply((record.key, record.value) for record in ledger_of(SERVER, count))
    source.restore(fold.sources()[SERVER], SystemClock().now())


def _resident(source: Source, count: int) -> dict[str, float]:
    process = psutil.Process()
    gc.collect()
    before = process.memory_info().rss
    _restore(source, count)
    gc.collect()
    return {"resident": process.memory_info().rss - before}


def _traced(source: Source, count: int) -> dict[str, float]:
    tracemalloc.start()
    _restore(source, count)
    gc.collect()
    live, peak = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    _restore(source, count)
    return {"live": live, "peak": peak, "again": tracemalloc.get_traced_memory()[1]}


def main(arguments: Sequence[str]) -> None:
    """Tell as JSON what so many ids take."""
    count, *how = arguments
    measure = _traced if how else _resident
    source = Source(server=SERVER, keep=KEEP, window=WINDOW)
    sys.stdout.write(orjson.dumps(measure(source, int(count))).decode())
    assert len(source.hits) == int(count)


if __name__ == "__main__":
    main(sys.argv[1:])
