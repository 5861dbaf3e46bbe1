"""What each codec makes of 60,000 events: bytes on the wire against seconds of processor."""

from __future__ import annotations

from aiokafka.producer.message_accumulator import BatchBuilder

from producer.core.ledger import NO_HEADERS
from producer.demo.broker import EmbeddedKafka
from tests.benchmarks import bare, cold
from tests.benchmarks.answers import ROWS, body
from tests.benchmarks.measures import Figure, Report, Spent, medians, spent
from tests.benchmarks.stage import staged

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
"""By their numbers in the batch format."""
ROUNDS = 3


async def run(kafka: EmbeddedKafka) -> Report:
    """The codecs in turns, on the same records."""
    async with staged(kafka.bootstrap, "compression") as stage:
        records = await cold.ready_made(stage, body(ROWS))
    events = [record for record in records if record.headers is not NO_HEADERS]
    rounds: dict[str, list[Spent]] = {name: [] for name in CODECS}
    sizes: dict[str, int] = {}

    async def encode(name: str) -> None:
        sizes[name] = _wire_bytes(events, CODECS[name])

    for _ in range(ROUNDS):
        for name in CODECS:
            rounds[name].append(await spent(lambda: encode(name)))  # noqa: B023 (awaited here)
    figures = []
    for name in CODECS:
        figures.append(Figure(f"{name}, on the wire", sizes[name] / 1e6, "MB"))
        figures.append(Figure(f"{name}, CPU", medians(rounds[name]).cpu * 1e3, "ms"))
    return Report("compression", f"{len(events):,} ready-made events into batches of each KAFKA_COMPRESSION", figures)


def _wire_bytes(events: list[bare.Bare], codec: int) -> int:
    open_batches: dict[tuple[str, int], BatchBuilder] = {}
    total = 0
    for where, key, value, headers in events:
        batch = open_batches.get(where)
        if batch is None or batch.append(key=key, value=value, timestamp=1, headers=headers) is None:
            total += len(batch._build()) if batch is not None else 0
            batch = open_batches[where] = BatchBuilder(bare.BATCH, codec, is_transactional=True)
            batch.append(key=key, value=value, timestamp=1, headers=headers)
    return total + sum(len(batch._build()) for batch in open_batches.values())
