"""One system in a process started for it: a first answer, then some that have little new or nothing; for `fresh`.

`python -m tests.benchmarks.alone {ours|librdkafka|events} BOOTSTRAP TOPIC FOLDER` tells, as JSON, what each answer cost
from its last byte to the commit. What comes before the first (imports, connections, taking the shard) is not counted.
The answers are files in the folder: a process that made them itself would have their memory at hand.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from producer.events.headers import constant
from tests.benchmarks.answers import NEW, ROWS, body
from tests.benchmarks.measures import Spent, medians, spent

PARTITIONS = 12
SERVER, MOMENT = "0042", "2026-01-18T20:13:32.123456Z"
CONSTANT = constant("hit", SERVER)
STEPS = 6
"""Answers with some new rows, and as many with none; the first of each meets cold code and does not count."""

Step = Callable[[bytes], Awaitable[object]]
Message = Mapping[str, Any]
"""What `produce` of confluent-kafka is given."""


@asynccontextmanager
async def ours(bootstrap: str, topic: str) -> AsyncIterator[Step]:
    """The service's own parts, from the HTTP client on."""
    from producer.garbage import search_seldom  # noqa: PLC0415 (the other one has no part in what this costs)
    from producer.heap import keep_freed_memory  # noqa: PLC0415 (as above)
    from tests.benchmarks.stage import staged  # noqa: PLC0415 (as above)

    keep_freed_memory()
    search_seldom()
    async with staged(bootstrap, topic) as stage:
        source = stage.source(stage.servers[0])

        async def step(answer: bytes) -> None:
            source.answer = answer
            await source.both()

        yield step


def plain(row: dict[str, Any]) -> Message:
    """A row as it came, without headers."""
    return {"value": orjson.dumps(row), "key": row["conn_id"]}


def event(row: dict[str, Any]) -> Message:
    """The event that we make of a row, but for the date: as many bytes, and the eight headers."""
    conn_id = row["conn_id"]
    row |= {"server": SERVER, "occurred_at": MOMENT, "observed_at": MOMENT}
    own = [("ce_time", MOMENT), ("ce_id", f"{SERVER}/{conn_id}"), ("ce_subject", conn_id)]
    return {"value": orjson.dumps(row), "key": conn_id, "headers": [*CONSTANT, *own]}


@asynccontextmanager
async def librdkafka(bootstrap: str, topic: str, message: Callable[[dict[str, Any]], Message]) -> AsyncIterator[Step]:
    """The script that one would write: parse, leave out what was sent, one transaction of the rest.

    No ledger, no validation; what was sent it forgets when it ends.
    """
    from confluent_kafka import Producer  # noqa: PLC0415 (as above)
    from confluent_kafka.admin import AdminClient  # noqa: PLC0415 (as above)
    from confluent_kafka.cimpl import NewTopic  # noqa: PLC0415 (as above)

    admin = AdminClient({"bootstrap.servers": bootstrap})
    await asyncio.to_thread(admin.create_topics([NewTopic(topic, PARTITIONS)])[topic].result)
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": topic})
    producer.init_transactions()
    sent = set[str]()

    async def step(answer: bytes) -> None:
        rows = [row for row in orjson.loads(answer)["data"] if row["conn_id"] not in sent]
        producer.begin_transaction()
        for row in rows:
            producer.produce(topic, **message(row))
        producer.commit_transaction()
        sent.update(row["conn_id"] for row in rows)

    yield step


SYSTEMS: Mapping[str, Callable[[str, str], AbstractAsyncContextManager[Step]]] = {
    "ours": ours,
    "librdkafka": partial(librdkafka, message=plain),
    "events": partial(librdkafka, message=event),
}


def lay_out(folder: Path) -> None:
    """The answers, as files."""
    for number in range(STEPS + 1):
        _file(folder, number).write_bytes(body(ROWS, first=number * NEW))


async def costs(step: Step, folder: Path) -> dict[str, Spent]:
    """What each kind of answer took."""
    answer = _file(folder, 0).read_bytes()
    fresh = await spent(lambda: step(answer))
    steady, idle = list[Spent](), list[Spent]()
    for number in range(1, STEPS + 1):
        answer = _file(folder, number).read_bytes()
        steady.append(await spent(lambda: step(answer)))  # noqa: B023 (awaited here)
        idle.append(await spent(lambda: step(answer)))  # noqa: B023 (awaited here)
    return {"fresh": fresh, "steady": medians(steady[1:]), "idle": medians(idle[1:])}


def _file(folder: Path, number: int) -> Path:
    return folder / f"answer{number}.json"


async def main(system: str, bootstrap: str, topic: str, folder: str) -> None:
    """Tell the costs."""
    async with SYSTEMS[system](bootstrap, topic) as step:
        found = await costs(step, Path(folder))
    sys.stdout.write(orjson.dumps({name: asdict(one) for name, one in found.items()}).decode())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
