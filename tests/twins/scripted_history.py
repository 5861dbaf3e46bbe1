"""`producer.core.ports.History` with its hits written down beforehand."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from producer.clock import Clock
from producer.errors import PollFailed
from producer.model import Snapshot

BOGOTA = timedelta(hours=-5)


class ScriptedHistory:
    """`hits` are the ids by the moment of each, in Unix seconds; `failures` are raised one by one, before any answer.

    `names` is how it writes an id. A call takes `seconds` of the loop's time; `ranges` are those that were asked for.
    """

    def __init__(self, *, clock: Clock, server: str = "0042") -> None:
        self.hits: dict[str, float] = {}
        self.names: Callable[[str], str] = str
        self.failures: deque[PollFailed] = deque()
        self.ranges: list[tuple[float, float]] = []
        self.seconds = 0.0
        self._server = server
        self._clock = clock

    async def fetch(self, begin: float, end: float) -> Snapshot:
        requested = self._clock.now()
        self.ranges.append((begin, end))
        await asyncio.sleep(self.seconds)
        if self.failures:
            raise self.failures.popleft()
        rows = [self._row(key, moment) for key, moment in self.hits.items() if begin <= moment <= end]
        return Snapshot(self._server, requested, self._clock.now(), rows, not_found=not rows)

    def calls(self, begin: float, end: float) -> int:
        return 2

    def _row(self, key: str, moment: float) -> dict[str, str]:
        date = (datetime.fromtimestamp(moment, UTC) + BOGOTA).strftime("%Y%m%d%H%M%S")
        return {
            "conn_id": self.names(key),
            "type_interaction": "Inbound",
            "date": date,
            "telephone": "573005550123",
            "customer_id": "",
            "hit": "Sale, as the history words it",
        }
