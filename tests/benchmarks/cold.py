"""60,000 rows, all new, from the answer's bytes to the commit; against the floor and against the naive ways."""

from __future__ import annotations

import asyncio

import orjson

from producer.clock import SystemClock
from producer.demo.broker import EmbeddedKafka
from producer.model import Topic
from producer.outgoing import Transaction
from producer.ports import Told
from tests.benchmarks import bare
from tests.benchmarks.answers import ROWS, body
from tests.benchmarks.measures import Figure, Report, Spent, medians, milliseconds, ratios, spent
from tests.benchmarks.stage import Polled, Stage, staged
from tests.twins.memory_kafka import MemoryKafka
from tests.twins.memory_store import MemoryShardStore

ROUNDS = 9
SAMPLE = 1_500
"""Events of the way that waits for each: it takes as long for each of them, so the rest is reckoned."""
ABOUT = (
    f"{ROWS:,} new rows from the answer's bytes to the commit. The floor: orjson.loads of the same bytes, and the same "
    "records (events with headers, ledger) ready-made, in bare batches, in one transaction. The naive ways parse and "
    f"send the ready-made events alone, without ledger or transaction; send_and_wait: {SAMPLE:,} of them, scaled up"
)


async def run(kafka: EmbeddedKafka) -> Report:
    """Ours, the floor and ours again, in turns; then the naive ways, once."""
    answer = body(ROWS)
    async with (
        staged(kafka, "cold") as stage,
        bare.producer(kafka.bootstrap, "bench-floor", max_batch_size=bare.BATCH) as sender,
    ):
        records = await ready_made(stage, answer)
        ours, floors = [], []
        for server in stage.servers[: ROUNDS + 1]:
            ours.append(await _ours(stage.source(server), answer))
            floors.append(await spent(lambda: _floor(sender, records, answer)))
        del ours[0], floors[0]  # the first of each meets cold code and new connections
        waiting, gathering = await _naive(stage, records, answer)
    against = ratios(ours, floors)
    return Report(
        "cold",
        ABOUT,
        [
            *milliseconds("ours", ours),
            *milliseconds("the floor", floors),
            Figure("ours to the floor, wall", against.wall, at_most=2.0),
            Figure("ours to the floor, CPU", against.cpu, at_most=2.0),
            Figure("send_and_wait of each to ours, wall", waiting.wall / medians(ours).wall, at_least=20),
            Figure("send and gather to ours, wall", gathering.wall / medians(ours).wall, at_least=3),
        ],
    )


async def _ours(source: Polled, answer: bytes) -> Spent:
    source.answer = answer
    return await spent(source.both)


async def _floor(sender: object, records: list[bare.Bare], answer: bytes) -> None:
    orjson.loads(answer)
    await bare.commit(sender, records)


async def ready_made(stage: Stage, answer: bytes) -> list[bare.Bare]:
    """The records of a cold snapshot, events and ledger, with their partitions."""
    clock = SystemClock()
    source = Polled(server=stage.servers[-1], store=MemoryShardStore(MemoryKafka()), clock=clock)
    source.answer = answer
    await source.poll()
    told = {source.source.server: Told()}
    taken = source.source.take(ROWS, told[source.source.server].dropped)
    transaction = Transaction([taken], told, limit=stage.topics.max_message_bytes, now=clock.now().wall)
    return bare.bare(transaction.records(), stage.topics, shard=stage.number)


async def _naive(stage: Stage, records: list[bare.Bare], answer: bytes) -> tuple[Spent, Spent]:
    events = [record for record in records if record.where[0] == stage.topics.name(Topic.HITS)]
    async with bare.producer(stage.bootstrap) as sender:

        async def parsing() -> None:
            orjson.loads(answer)

        async def waiting() -> None:
            for (topic, _), key, value, headers in events[:SAMPLE]:
                await sender.send_and_wait(topic, value, key, headers=headers)

        async def gathering() -> None:
            orjson.loads(answer)
            await asyncio.gather(
                *[await sender.send(where[0], value, key, headers=headers) for where, key, value, headers in events]
            )

        parsed = await spent(parsing)
        return parsed + (await spent(waiting)).times(len(events) / SAMPLE), await spent(gathering)
