"""Passwords and certificates that are replaced while we run.

aiokafka's clients keep what they were given: after a rotation they go on until a connection breaks, and then stay
outside for ever. So a client is replaced once its credentials were, and those that came instead are accepted: a file
may be written before the cluster knows the new password.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from producer.errors import Discard, KafkaFailed
from producer.kafka.access.probe import probe
from producer.kafka.bounds import leave_behind
from producer.kafka.connection import Connection

T = TypeVar("T")

PAUSE = 5.0
"""Seconds between two looks during one piece of work, and between two tries of what is not accepted yet."""


class Rotation:
    """Tells when a client that is made now should make way for one with other credentials."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stamp = connection.stamp()
        self._again = 0.0

    async def due(self) -> bool:
        """Whether a new client should take over; asks the cluster only if a file has changed."""
        now = asyncio.get_running_loop().time()
        if now < self._again or self._connection.stamp() == self._stamp:
            return False
        self._again = now + PAUSE
        try:
            await probe(self._connection)
        except KafkaFailed:
            return False
        return True

    async def refuse(self) -> None:
        """Raise Discard if a new client should take over."""
        if await self.due():
            raise Discard("other credentials were given to us: a new client takes them")

    async def during(self, work: Coroutine[Any, Any, T], *, unless: asyncio.Future[None] | None = None) -> T:
        """The result of `work`; raises Discard if it waits in vain because the credentials it has were replaced.

        Or what `unless` raises, once it does.
        """
        working, watching = asyncio.create_task(work), asyncio.create_task(self._watch())
        others: list[asyncio.Future[None]] = [watching] if unless is None else [unless, watching]
        ways: set[asyncio.Future[Any]] = {working, *others}
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not working.done():
                leave_behind(working)
            leave_behind(watching)
        for other in others:
            if not working.done() and other.done():
                other.result()
        return working.result()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(PAUSE)
            await self.refuse()
