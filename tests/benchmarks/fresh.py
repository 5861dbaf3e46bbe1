"""Beside a bare script on librdkafka: each in a process started for it, in turns, on one broker."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from producer.demo.broker import EmbeddedKafka
from tests.benchmarks.alone import SYSTEMS, lay_out
from tests.benchmarks.answers import NEW, ROWS
from tests.benchmarks.child import REPOSITORY
from tests.benchmarks.measures import Figure, Report, Spent, milliseconds, ratios

ROUNDS = 5
WHAT = {
    "fresh": f"{ROWS:,} rows, all new, the first answer of a process",
    "steady": f"{ROWS:,} rows, {NEW:,} new",
    "idle": f"{ROWS:,} rows, none new",
}
MOST: Mapping[str, tuple[float | None, float | None]] = {
    "fresh": (1.0, 1.25),
    "steady": (0.75, 0.75),
    "idle": (None, None),
}
"""What ours may take for one of the script's, by the wall and by the processor."""
ABOUT = (
    "From the answer's last byte to the commit, each system in a process of its own, in turns. The bare script: "
    "orjson.loads, the ids that it sent in a set, orjson.dumps of each new row and one transaction by confluent-kafka; "
    "no ledger, no validation, no headers. Another sends what we send: the events' values and their eight headers"
)


async def run(kafka: EmbeddedKafka) -> Report:
    """Both of them, once a round."""
    found: dict[str, list[Mapping[str, Spent]]] = {system: [] for system in SYSTEMS}
    with TemporaryDirectory() as folder:
        lay_out(Path(folder))
        for number in range(ROUNDS):
            for system in SYSTEMS:
                found[system].append(await _child(system, kafka.bootstrap, f"fresh.{system}{number}", folder))
    figures: list[Figure] = []
    for name, (wall, cpu) in MOST.items():
        ours, bare = ([one[name] for one in found[system]] for system in ("ours", "librdkafka"))
        against = ratios(ours, bare)
        figures += [
            *milliseconds(f"{WHAT[name]}: the bare script", bare),
            *milliseconds(f"{name}: ours", ours),
            Figure(f"{name}: ours to the bare script, wall", against.wall, at_most=wall),
            Figure(f"{name}: ours to the bare script, CPU", against.cpu, at_most=cpu),
        ]
    same = ratios(*([one["fresh"] for one in found[system]] for system in ("ours", "events")))
    figures += [
        Figure("fresh: ours to a script that sends the same events, wall", same.wall),
        Figure("fresh: ours to a script that sends the same events, CPU", same.cpu),
    ]
    return Report("fresh", ABOUT, figures)


async def _child(system: str, bootstrap: str, topic: str, folder: str) -> Mapping[str, Spent]:
    command = [sys.executable, "-m", "tests.benchmarks.alone", system, bootstrap, topic, folder]
    told = orjson.loads(await asyncio.to_thread(subprocess.check_output, command, cwd=REPOSITORY))
    return {name: Spent(**spent) for name, spent in told.items()}
