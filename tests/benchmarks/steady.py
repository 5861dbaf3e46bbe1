"""What a poll costs when most or all of its rows are known; against parsing the body and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from producer.demo.broker import EmbeddedKafka
from tests.benchmarks.answers import NEW, ROWS, body
from tests.benchmarks.measures import Figure, Report, Spent, milliseconds, ratios, spent
from tests.benchmarks.stage import Polled, staged

ROUNDS = 11
FLOOR = "The floor: orjson.loads of the same bytes"


async def run(kafka: EmbeddedKafka) -> Sequence[Report]:
    """The report moves on by 1,200 rows; then it is polled again as it was; and so on."""
    floors: list[Spent] = []
    steady: list[tuple[Spent, Spent]] = []
    idle: list[tuple[Spent, Spent]] = []
    async with staged(kafka.bootstrap, "steady") as stage:
        source = stage.source(stage.servers[0])
        source.answer = body(ROWS)
        await source.both()
        for number in range(1, ROUNDS + 2):
            source.answer = body(ROWS, first=number * NEW)
            before = await spent(lambda: _parse(source.answer))
            steady.append(await _step(source))
            between = await spent(lambda: _parse(source.answer))
            idle.append(await _step(source))
            floors.append((before + between).times(0.5))
    return [
        _report(
            "steady",
            f"{ROWS:,} rows of which {NEW:,} are new, polled and committed. {FLOOR}",
            steady[1:],
            floors[1:],
            1.5,
        ),
        _report(
            "idle",
            f"{ROWS:,} rows, all known. {FLOOR}. The commit is that of the cursor alone, beside the polling",
            idle[1:],
            floors[1:],
            1.0,
        ),
    ]


async def _parse(answer: bytes) -> None:
    orjson.loads(answer)


async def _step(source: Polled) -> tuple[Spent, Spent]:
    return await spent(source.poll), await spent(source.commit)


def _report(
    name: str, about: str, steps: Sequence[tuple[Spent, Spent]], floors: Sequence[Spent], bound: float
) -> Report:
    polls = [poll for poll, _ in steps]
    whole = [poll + commit for poll, commit in steps]
    poll, both = ratios(polls, floors), ratios(whole, floors)
    return Report(
        name,
        about,
        [
            *milliseconds("the floor", floors),
            *milliseconds("poll and commit", whole),
            Figure("poll to the floor, wall", poll.wall),
            Figure("poll to the floor, CPU", poll.cpu, at_most=bound if name == "idle" else None),
            Figure("poll and commit to the floor, wall", both.wall),
            Figure("poll and commit to the floor, CPU", both.cpu, at_most=bound if name == "steady" else None),
        ],
    )
