"""60,000 rows, all new, from the answer's bytes to the commit; against the floor and against the naive ways."""

from __future__ import annotations

import orjson

from producer.clock import SystemClock
from producer.core.ports import Told
from producer.core.transaction import Transaction
from producer.demo.broker import EmbeddedKafka
from producer.model import Topic
from tests.benchmarks import bare, naive
from tests.benchmarks.answers import ROWS, body
from tests.benchmarks.measures import Figure, Report, Spent, medians, milliseconds, ratios, spent
from tests.benchmarks.stage import Polled, Stage, staged
from tests.twins.memory_kafka import MemoryKafka
from tests.twins.memory_store import MemoryShardStore

ROUNDS = 10
ABOUT = (
    f"{ROWS:,} new rows from the answer's bytes to the commit. The floor: orjson.loads of the same bytes, and the same "
    "records (events with headers, ledger) ready-made, in bare batches, in one transaction. The naive ways send what "
    f"is ready-made without a transaction; send_and_wait the events alone, {naive.SAMPLE:,} of them, scaled up"
)


async def run(kafka: EmbeddedKafka) -> Report:
    """Ours, the floor and, in every second round, the naive ways of `send` and gather, in turns; then the slowest."""
    answer = body(ROWS)
    async with (
        staged(kafka.bootstrap, "cold") as stage,
        bare.producer(kafka.bootstrap, "bench-floor", max_batch_size=bare.BATCH) as sender,
        bare.producer(kafka.bootstrap) as plain,
    ):
        records = await ready_made(stage, answer)
        ways = naive.Ways(plain, records, answer, hits=stage.topics.name(Topic.HITS))
        ours, floors, events, everything = [], [], [], []
        for number, server in enumerate(stage.servers[: ROUNDS + 1]):
            ours.append(await _ours(stage.source(server), answer))
            floors.append(await spent(lambda: _floor(sender, records, answer)))
            if number % 2 == 0:
                everything.append(await ways.everything())
                events.append(await ways.events())
        # The first of each meets cold code and new connections.
        some = ours[2::2]
        gathered, gathered_events = ratios(everything[1:], some), ratios(events[1:], some)
        waited = await ways.waiting()
    ours, floors = ours[1:], floors[1:]
    against = ratios(ours, floors)
    return Report(
        "cold",
        ABOUT,
        [
            *milliseconds("ours", ours),
            *milliseconds("the floor", floors),
            Figure("ours to the floor, wall", against.wall),
            Figure("ours to the floor, CPU", against.cpu),
            Figure("send_and_wait of each event to ours, wall", waited.wall / medians(ours).wall, at_least=20),
            Figure("send and gather of the same records to ours, wall", gathered.wall, at_least=1.2),
            Figure("send and gather of the same records to ours, CPU", gathered.cpu),
            Figure("send and gather of the events alone to ours, wall", gathered_events.wall),
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
