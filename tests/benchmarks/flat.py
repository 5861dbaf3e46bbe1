"""A process that polls a thousand times and tells, as JSON, what it had resident early and late; for `memory`."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import orjson
import psutil

from producer.kafka.batch import Batch
from producer.kafka.batches import Batches
from producer.kafka.topics import Topics
from producer.model import Outgoing, Series, SourceFold, Topic
from tests.benchmarks.answers import body
from tests.benchmarks.stage import Polled
from tests.twins.manual_clock import ManualClock
from tests.twins.told import LIMIT

ROWS, NEW, EARLY, LATE = 2_000, 40, 200, 1_000
INTERVAL = 300.0


TOPICS = Topics("bench", dict.fromkeys(Topic, 12), LIMIT)


class Nowhere:
    """A producer whose batches are delivered at the loop's next turn, as no network is quicker, and forgotten.

    Python 3.14 does not wait for a gathering of what is done already, and a loop that never turns keeps each callback.
    """

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        loop.call_soon(done.set_result, SimpleNamespace(topic=topic, offset=-1))
        return done


class Swallowing:
    """A store that makes every batch and keeps none, so that whatever stays is ours."""

    limit = LIMIT
    progress = None

    async def take(self) -> Mapping[str, SourceFold]:
        return {}

    async def commit(self, records: Iterable[Outgoing | Series]) -> None:
        batches = Batches(Nowhere(), TOPICS, shard=0, timestamp=0)
        await batches.add(records)
        await batches.delivered()

    async def discard(self) -> None:
        return None


async def polls(
    source: Polled, clock: ManualClock, numbers: Iterable[int], *, rows: int = ROWS, new: int = NEW
) -> None:
    """Polls and commits of a report that moves on by `new` rows each time; the clock goes with it."""
    for number in numbers:
        source.answer = body(rows, first=number * new)
        await source.both()
        clock.advance(INTERVAL)


async def main() -> dict[str, int]:
    """Resident bytes after `EARLY` and after `LATE` polls."""
    clock, process, found = ManualClock(), psutil.Process(), {}
    source = Polled(server="0042", store=Swallowing(), clock=clock)
    for name, first, last in (("early", 0, EARLY), ("late", EARLY, LATE)):
        await polls(source, clock, range(first, last))
        gc.collect()
        found[name] = process.memory_info().rss
    return found


if __name__ == "__main__":
    sys.stdout.write(orjson.dumps(asyncio.run(main())).decode())
