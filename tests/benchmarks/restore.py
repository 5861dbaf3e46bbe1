"""From taking a shard to the window being there again, for 100,000 and 1,000,000 ids in the ledger."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition

from producer.clock import SystemClock
from producer.core.ledger import cursor_record, shard_of
from producer.core.source import Source
from producer.demo.broker import EmbeddedKafka
from producer.model import Cursor, Topic
from tests.benchmarks import bare
from tests.benchmarks.latency import LONGEST, blocks_beside
from tests.benchmarks.ledger import ledger_of
from tests.benchmarks.measures import Figure, Report, Spent, medians, ratios, spent
from tests.benchmarks.stage import KEEP, WINDOW, Stage, staged

T = TypeVar("T")
Step = Callable[[], Awaitable[object]]

COUNTS = {100_000: 5, 1_000_000: 3}
"""Rounds by the number of ids."""
FASTEST = {100_000: 250_000, 1_000_000: 1_500_000}
"""Ids a second by the wall at least: of each take some 40 ms are questions to the brokers, whatever it reads."""
FASTEST_CPU = 1_500_000
"""Ids for a second of processor: how much of one is to be had is the machine's to say."""
LARGEST = 60
"""Bytes of an id in the broker's log."""


async def run(kafka: EmbeddedKafka) -> Report:
    """Each number of ids in a partition of its own."""
    figures: list[Figure] = []
    async with staged(kafka.bootstrap, "restore") as stage:
        for place, (count, rounds) in enumerate(COUNTS.items(), start=1):
            server = next(
                name for name in (f"{number:04}" for number in range(1, 9999)) if _shard(name, stage) == place
            )
            await _write(stage, server, count)
            await _consume(stage, place)  # the first reading fills the broker's and the system's caches
            ours, floors = [], []
            for _ in range(rounds):
                floors.append(await spent(lambda: _consume(stage, place)))  # noqa: B023 (awaited here)
                ours.append(await _restore(stage, server, count, by=spent))
            block = await _restore(stage, server, count, by=blocks_beside)
            kept = sum(file.stat().st_size for file in _log(kafka, stage, place).glob("*.log"))
            figures += [*_figures(count, ours, floors), _kept(count, kept)]
            figures.append(Figure(f"{count:,} ids, longest block of the loop", block * 1e3, "ms", at_most=LONGEST))
    return Report(
        "restore",
        "taking the shard, reading its ledger, filling the window. The floor: a plain consumer of "
        "the same partition that only counts",
        figures,
    )


def _figures(count: int, ours: Sequence[Spent], floors: Sequence[Spent]) -> list[Figure]:
    middle, against = medians(ours), ratios(ours, floors)
    return [
        Figure(f"{count:,} ids, wall", count / middle.wall, "ids/s", at_least=FASTEST[count]),
        Figure(f"{count:,} ids, CPU", count / middle.cpu, "ids/s", at_least=FASTEST_CPU),
        Figure(f"{count:,} ids to the floor, wall", against.wall),
        Figure(f"{count:,} ids to the floor, CPU", against.cpu),
    ]


def _kept(count: int, size: int) -> Figure:
    return Figure(f"{count:,} ids, on the broker", size / count, "B/id", at_most=LARGEST)


def _log(kafka: EmbeddedKafka, stage: Stage, partition: int) -> Path:
    """Where the broker keeps a partition of the ledger."""
    return kafka.folder / "data" / f"{stage.topics.name(Topic.LEDGER)}-{partition}"


def _shard(server: str, stage: Stage) -> int:
    return shard_of(server, stage.topics.shards)


async def _write(stage: Stage, server: str, count: int) -> None:
    topic, partition, now = stage.topics.name(Topic.LEDGER), _shard(server, stage), time.time()
    # Without its cursor a source is new, and each take would look for it in the whole ledger.
    ledger = [*ledger_of(server, count), cursor_record(server, Cursor(now, now))]
    records = [bare.Bare((topic, partition), record.key, record.value, record.headers) for record in ledger]
    async with bare.producer(stage.bootstrap, f"bench-ledger-{partition}", max_batch_size=bare.BATCH) as sender:
        await bare.commit(sender, records)


async def _restore(stage: Stage, server: str, count: int, *, by: Callable[[Step], Awaitable[T]]) -> T:
    """The shard taken and its window filled, measured `by` one of the ways to."""
    store, source, clock = stage.another_store(server), Source(server=server, keep=KEEP, window=WINDOW), SystemClock()

    async def restore() -> None:
        folds = await store.take()
        source.restore(folds[server], clock.now())

    try:
        found = await by(restore)
    finally:
        await store.discard()
    assert len(source.hits) == count
    return found


async def _consume(stage: Stage, partition: int) -> None:
    where = TopicPartition(stage.topics.name(Topic.LEDGER), partition)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=stage.bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        consumer.assign([where])
        await consumer.seek_to_beginning()
        (end,) = (await consumer.end_offsets([where])).values()
        while await consumer.position(where) < end:
            await consumer.getmany(timeout_ms=500)
    finally:
        await consumer.stop()
