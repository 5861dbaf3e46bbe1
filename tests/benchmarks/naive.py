"""The ways one would write first: each record sent by itself. All is ready-made for them, and without a transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson

from tests.benchmarks import bare
from tests.benchmarks.measures import Spent, spent

SAMPLE = 1_500
"""Events of the way that waits for each: it takes as long for each of them, so the rest is reckoned."""


class Ways:
    """Each of them over the same records; `hits` is the topic of the events."""

    def __init__(self, sender: Any, records: Sequence[bare.Bare], answer: bytes, *, hits: str) -> None:
        self._sender = sender
        self._records = records
        self._events = [record for record in records if record.where[0] == hits]
        self._answer = answer

    async def waiting(self) -> Spent:
        """`send_and_wait` of each event."""
        return (await spent(self._wait)).times(len(self._events) / SAMPLE)

    async def events(self) -> Spent:
        """`send` of each event, then gather."""
        return await spent(lambda: self._gather(self._events))

    async def everything(self) -> Spent:
        """The same of each event and each ledger record: what the floor and the service write."""
        return await spent(lambda: self._gather(self._records))

    async def _wait(self) -> None:
        for (topic, partition), key, value, headers in self._events[:SAMPLE]:
            await self._sender.send_and_wait(topic, value, key, partition, headers=headers)

    async def _gather(self, records: Sequence[bare.Bare]) -> None:
        orjson.loads(self._answer)
        await asyncio.gather(
            *[
                await self._sender.send(topic, value, key, partition, headers=headers)
                for (topic, partition), key, value, headers in records
            ]
        )
