"""An independent consumer of the topics, read_committed: what it has read so far, and all of it once more."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from producer.clock import Clock
from producer.demo.show.readback import Readback
from producer.errors import Untrusted
from producer.kafka.connection import Connection
from producer.kafka.tail import BEGINNING, tail
from producer.model import Topic

RECOVERED = "wolkvox_recovered"
"""The header of a hit that no report showed in time."""
PAUSE = 0.25
"""Seconds between two questions whether the topics are there."""


class Reading:
    """Follows hits, changes and coverage of the topics whose base name is `topic`."""

    def __init__(self, connection: Connection, *, topic: str, clock: Clock) -> None:
        self.readback = Readback()
        self._connection = connection
        self._hits, self._changes, self._coverage = topic, topic + Topic.CHANGES, topic + Topic.COVERAGE
        self._clock = clock

    async def follow(self) -> None:
        """Read until cancelled, from the beginning of topics that the service may not have made yet."""
        while True:
            try:
                await self._read(self.readback, follow=True)
            except Untrusted:
                await asyncio.sleep(PAUSE)

    async def again(self) -> Readback:
        """The topics from the beginning to where they end now, by a new consumer."""
        readback = Readback()
        await self._read(readback, follow=False)
        return readback

    async def _read(self, into: Readback, *, follow: bool) -> None:
        topics = (self._hits, self._changes, self._coverage)
        async with aclosing(tail(self._connection, *topics, since=BEGINNING, follow=follow)) as records:
            async for record in records:
                assert record.value is not None
                if record.topic == self._hits:
                    recovered = any(name == RECOVERED for name, _ in record.headers)
                    into.take_hit(record.value, now=self._clock.now().wall, recovered=recovered)
                elif record.topic == self._changes:
                    into.take_change(record.value)
                else:
                    into.take_gap(record.value)
