"""The ways one would write first: each record sent by itself. All is ready-made for them, and without a transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from tests.benchmarks import bare
from tests.benchmarks.measures import Spent, spent

SAMPLE = 1_500
"""Events of the way that waits for each: it takes as long for each of them, so the rest is reckoned."""


@dataclass(frozen=True, slots=True)
class Naive:
    """What each way took."""

    waiting: Spent
    """`send_and_wait` of each event."""
    events: Spent
    """`send` of each event, then gather."""
    everything: Spent
    """The same of each event and each ledger record: what the floor and the service write."""


async def measured(bootstrap: str, records: Sequence[bare.Bare], answer: bytes, *, hits: str) -> Naive:
    """Each way once; `hits` is the topic of the events."""
    events = [record for record in records if record.where[0] == hits]
    async with bare.producer(bootstrap) as sender:

        async def waiting() -> None:
            for (topic, partition), key, value, headers in events[:SAMPLE]:
                await sender.send_and_wait(topic, value, key, partition, headers=headers)

        async def gathering(some: Sequence[bare.Bare]) -> None:
            orjson.loads(answer)
            await asyncio.gather(
                *[
                    await sender.send(topic, value, key, partition, headers=headers)
                    for (topic, partition), key, value, headers in some
                ]
            )

        await gathering(events[:SAMPLE])  # connections and metadata
        return Naive(
            waiting=(await spent(waiting)).times(len(events) / SAMPLE),
            events=await spent(lambda: gathering(events)),
            everything=await spent(lambda: gathering(records)),
        )
