"""One source's polling, round after round: when, under whose token, and what to make of a failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from math import inf
from random import Random
from time import perf_counter
from uuid import uuid4
from zoneinfo import ZoneInfo

from producer.clock import Clock, Moment
from producer.core.heartbeat import Heartbeat
from producer.core.poller import Poller
from producer.core.ports import Failed, Observer, Polled
from producer.core.quota import Quota, allows, seconds_to_reset, shortfall
from producer.core.schedule import Schedule
from producer.core.source import Source
from producer.errors import PollFailed, defect


@dataclass(slots=True)
class PollState:
    """What an operator asks of a source; `next_poll` in Unix seconds."""

    succeeded: Moment | None = None
    """When the last snapshot was read."""
    next_poll: float | None = None
    failure: PollFailed | None = None
    only_not_found: bool = True
    not_found: int = 0
    quota: Quota | None = None


class Rounds:
    """The loop of one source.

    `turn` gives its token's turn: never two calls at a time under one token. `quota` costs one call; it is asked once a
    day.
    """

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
        quota: Callable[[], Awaitable[Quota]] | None = None,
    ) -> None:
        self.state = PollState()
        self.heartbeat = Heartbeat()
        self._ask_quota = quota
        self._quota_ends = inf  # when the reset makes what is known of it worthless
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
        """Poll until cancelled, the first time at once; `on_snapshot` is told that something waits for Kafka.

        What no round may raise is told, and the rounds begin again: no sooner than usual, for each costs a call.
        """
        while True:
            try:
                await self._rounds(on_snapshot)
            except Exception as error:  # noqa: BLE001 (a defect of ours must not end a source)
                self._died(error)
                await self._rest(self._interval)

    async def once(self) -> None:
        """One poll; `state` says how it went."""
        try:
            await self._round(self._schedule())
        except Exception as error:  # noqa: BLE001 (as in `run`)
            self._died(error)

    async def _rounds(self, on_snapshot: Callable[[], None]) -> None:
        schedule = self._schedule()
        while True:
            due = await self._round(schedule)
            on_snapshot()
            await self._learn_quota()
            await self._rest(due - asyncio.get_running_loop().time())

    async def _rest(self, seconds: float) -> None:
        self.state.next_poll = self._clock.now().wall + max(0.0, seconds)
        self.heartbeat.beat(next_within=max(0.0, seconds))
        await asyncio.sleep(seconds)

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[None]:
        """The token's turn; whoever else has it is heard of meanwhile."""
        self.heartbeat.rest()
        async with self._turn():
            self.heartbeat.beat(next_within=self._timeout)
            self._spend_call()
            yield

    def _spend_call(self) -> None:
        if self.state.quota is not None:
            ended = self._clock.now().wall >= self._quota_ends
            self.state.quota = None if ended else self.state.quota.after_call()

    def _schedule(self) -> Schedule:
        start = asyncio.get_running_loop().time()
        return Schedule(interval=self._interval, timeout=self._timeout, start=start, rng=self._rng)

    async def _round(self, schedule: Schedule) -> float:
        """One poll, told to the observer; when the next is due, on the loop's clock."""
        began = perf_counter()
        try:
            async with self._call():
                polled = await self._poller.poll_once()
        except PollFailed as error:
            return self._failed(error, schedule, perf_counter() - began)
        except Exception as error:  # noqa: BLE001 (a defect of ours is a failed poll)
            return self._failed(defect(error), schedule, perf_counter() - began)
        return self._succeeded(polled, schedule)

    def _succeeded(self, polled: Polled, schedule: Schedule) -> float:
        moment, now = self._clock.now(), asyncio.get_running_loop().time()
        state = self.state
        state.succeeded = moment
        state.failure = None
        state.only_not_found = state.only_not_found and polled.not_found
        state.not_found = state.not_found + 1 if polled.not_found else 0
        self._observer.polled(polled)
        if state.only_not_found:
            self._observer.only_not_found(self.source.server, times=state.not_found)
        reset = seconds_to_reset(moment.wall, self._zone)
        sooner = polled.truncated and allows(state.quota, self._interval / 2, until_reset=reset)
        due = schedule.after_truncated(now) if sooner else schedule.after_success(now)
        if missed := schedule.missed():
            self._observer.overrun(self.source.server, slots=missed)
        return due

    async def _learn_quota(self) -> None:
        """Ask once a day, after the first success: whoever can't poll has worse troubles than the quota."""
        if self._ask_quota is None or self.state.quota is not None or self.state.succeeded is None:
            return
        now = self._clock.now().wall
        try:
            async with self._call():
                quota = await self._ask_quota()
        except Exception:  # noqa: BLE001 (not every operation has that report, and a defect in reading it ends no polls)
            quota = Quota(None, None)
        self.state.quota, self._quota_ends = quota, now + seconds_to_reset(now, self._zone)
        if short := shortfall(quota, self._interval):
            self._observer.quota_short(self.source.server, short)

    def _died(self, error: Exception) -> None:
        self.state.failure = defect(error)
        self._observer.died(self.source.server, error, retry_in=self._interval)

    def _failed(self, error: PollFailed, schedule: Schedule, seconds: float) -> float:
        self.state.failure = error
        now, moment = asyncio.get_running_loop().time(), self._clock.now()
        until_loss = self.source.coverage.seconds_until_loss(moment)
        reset = seconds_to_reset(moment.wall, self._zone)
        due = schedule.after_failure(error, now=now, until_loss=until_loss, until_reset=reset)
        self._observer.failed(Failed(self.source.server, uuid4().hex[:8], error, seconds, due - now))
        return due
