"""One source's polling, round after round: when, under whose token, and what to make of a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from time import perf_counter
from uuid import uuid4
from zoneinfo import ZoneInfo

from producer.clock import Clock, Moment
from producer.errors import NotASnapshot, PollFailed
from producer.poller import Poller
from producer.ports import Failed, Observer, Polled
from producer.schedule import Schedule
from producer.source import Source


@dataclass(slots=True)
class PollState:
    """What an operator asks of a source; times in Unix seconds."""

    last_success: float | None = None
    next_poll: float | None = None
    failure: PollFailed | None = None
    only_not_found: bool = True


class Polling:
    """The loop of one source. `turn` gives its token's turn: never two calls at a time under one token."""

    def __init__(
        self,
        *,
        poller: Poller,
        interval: float,
        timeout: float,
        zone: ZoneInfo,
        turn: Callable[[], AbstractAsyncContextManager[None]],
        clock: Clock,
        rng: Random,
        observer: Observer,
    ) -> None:
        self.state = PollState()
        self._poller = poller
        self._interval = interval
        self._timeout = timeout
        self._zone = zone
        self._turn = turn
        self._clock = clock
        self._rng = rng
        self._observer = observer

    @property
    def source(self) -> Source:
        """The state that the polls fill."""
        return self._poller.source

    async def run(self, on_snapshot: Callable[[], None]) -> None:
        """Poll until cancelled, the first time at once; `on_snapshot` is told that something waits for Kafka."""
        loop = asyncio.get_running_loop()
        schedule = self._schedule()
        while True:
            due = await self._round(schedule)
            on_snapshot()
            self.state.next_poll = self._clock.now().wall + max(0.0, due - loop.time())
            await asyncio.sleep(due - loop.time())

    async def once(self) -> None:
        """One poll; `state` says how it went."""
        await self._round(self._schedule())

    def _schedule(self) -> Schedule:
        start = asyncio.get_running_loop().time()
        return Schedule(interval=self._interval, timeout=self._timeout, start=start, rng=self._rng)

    async def _round(self, schedule: Schedule) -> float:
        """One poll, told to the observer; when the next is due, on the loop's clock."""
        began = perf_counter()
        try:
            async with self._turn():
                polled = await self._poller.poll_once()
        except PollFailed as error:
            return self._failed(error, schedule, perf_counter() - began)
        except Exception as error:  # noqa: BLE001 (a defect of ours must not end a source; only its type is told)
            return self._failed(NotASnapshot(f"unexpected {type(error).__name__}"), schedule, perf_counter() - began)
        return self._succeeded(polled, schedule)

    def _succeeded(self, polled: Polled, schedule: Schedule) -> float:
        self.state.last_success = self._clock.now().wall
        self.state.failure = None
        self.state.only_not_found = self.state.only_not_found and polled.not_found
        self._observer.polled(polled)
        now = asyncio.get_running_loop().time()
        return schedule.after_truncated(now) if polled.truncated else schedule.after_success(now)

    def _failed(self, error: PollFailed, schedule: Schedule, seconds: float) -> float:
        self.state.failure = error
        now, moment = asyncio.get_running_loop().time(), self._clock.now()
        until_loss = self.source.coverage.seconds_until_loss(moment)
        reset = _until_midnight(moment, self._zone)
        due = schedule.after_failure(error, now=now, until_loss=until_loss, until_reset=reset)
        self._observer.failed(Failed(self.source.server, uuid4().hex[:8], error, seconds, due - now))
        return due


def _until_midnight(now: Moment, zone: ZoneInfo) -> float:
    """Seconds to the operation's next midnight, when the quota is taken to start anew."""
    local = datetime.fromtimestamp(now.wall, zone)
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - local).total_seconds()
