"""The history of a seed: `producer.core.ports.History` over the truth, by the ids that the plan gives it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from random import Random

from producer.clock import Clock
from producer.errors import Retry
from producer.model import Snapshot
from tests.simulation.plan import Past
from tests.simulation.report import refuse
from tests.simulation.truth import Fact, Stream
from tests.twins.manual_clock import WALL

_BOGOTA = timedelta(hours=-5)
LATE = 1_800.0
"""Seconds after which a late history has a call."""


class SimulatedHistory:
    """One process's way to the history of one server; its moods are the report's, each call has the token's turn."""

    def __init__(
        self,
        server: str,
        *,
        stream: Stream,
        kind: Past,
        mood: Callable[[], str],
        turn: Callable[[], AbstractAsyncContextManager[None]],
        timeout: float,
        latency: float,
        clock: Clock,
        rng: Random,
    ) -> None:
        self._server = server
        self._stream = stream
        self._kind = kind
        self._mood = mood
        self._turn = turn
        self._timeout = timeout
        self._latency = latency
        self._clock = clock
        self._rng = rng

    async def fetch(self, begin: float, end: float) -> Snapshot:
        requested, facts = self._clock.now(), list[Fact]()
        for chats in (False, True):
            async with self._turn():
                facts += await self._call(begin, end, chats=chats)
        rows = [self._row(fact) for fact in facts]
        return Snapshot(self._server, requested, self._clock.now(), rows, not_found=not rows)

    def calls(self, begin: float, end: float) -> int:
        return 2

    async def _call(self, begin: float, end: float, *, chats: bool) -> list[Fact]:
        mood = self._mood()
        try:
            async with asyncio.timeout(self._timeout):
                await asyncio.sleep(self._rng.uniform(0, self._latency))
                refuse(mood, self._rng)
                await asyncio.sleep(10 * self._timeout if mood == "hang" else self._rng.uniform(0, self._latency))
        except TimeoutError:
            raise Retry("no whole answer in time") from None
        facts = self._stream.facts if self._kind is not Past.MISSING else ()
        return [one for one in facts if _is_chat(one) is chats and self._knows(one) and begin <= _dated(one) <= end]

    def _knows(self, fact: Fact) -> bool:
        return not fact.dead and known_at(fact, self._kind) <= asyncio.get_running_loop().time()

    def _row(self, fact: Fact) -> dict[str, str]:
        date = (datetime.fromtimestamp(_dated(fact), UTC) + _BOGOTA).strftime("%Y%m%d%H%M%S")
        name = f"other-{fact.name}" if self._kind is Past.OTHER_IDS else fact.name
        return {"conn_id": name, "telephone": fact.says(asyncio.get_running_loop().time()), "date": date, "hit": "sale"}


def known_at(fact: Fact, kind: Past) -> float:
    """Since when a history of a kind has a call, in the world's time."""
    return fact.occurred + (LATE if kind is Past.LATE else 0.0)


def _dated(fact: Fact) -> float:
    """By the second, as the reports write it."""
    return float(int(WALL + fact.occurred))


def _is_chat(fact: Fact) -> bool:
    return fact.name.endswith("7")
