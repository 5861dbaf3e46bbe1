"""`producer.core.ports.Api` with its answers written down beforehand."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from producer.clock import Clock, Moment
from producer.errors import PollFailed
from producer.model import Snapshot


@dataclass(frozen=True, slots=True)
class _Answer:
    rows: list[Any] | PollFailed
    seconds: float


class ScriptedApi:
    """Answers in turn, then with `standing` for ever; `requests` are the moments at which it was asked.

    An answer takes `seconds` of the loop's time.
    """

    def __init__(self, *, clock: Clock, server: str = "0042") -> None:
        self.standing: list[Any] | PollFailed = []
        self.requests: list[Moment] = []
        self.concurrent = 0
        self.most_concurrent = 0
        self._server = server
        self._clock = clock
        self._script: deque[_Answer] = deque()

    def answers(self, rows: Iterable[Any] | PollFailed, *, seconds: float = 0.0) -> None:
        """The next answer: rows, or an error to raise."""
        self._script.append(_Answer(rows if isinstance(rows, PollFailed) else list(rows), seconds))

    async def fetch(self) -> Snapshot:
        requested = self._clock.now()
        self.requests.append(requested)
        answer = self._script.popleft() if self._script else _Answer(self.standing, 0.0)
        self.concurrent += 1
        self.most_concurrent = max(self.most_concurrent, self.concurrent)
        try:
            await asyncio.sleep(answer.seconds)
        finally:
            self.concurrent -= 1
        if isinstance(answer.rows, PollFailed):
            raise answer.rows
        return Snapshot(self._server, requested, self._clock.now(), list(answer.rows))
