"""Heals the gaps of one source: asks its history, beside the polls, and what is new there waits for Kafka.

    due -> quota left? -> topic: what is told -> history: of the gap, and of the time before it -> agrees? -> pending

A gap is healed once: what was found is believed only under the reading of the ledger in which it was asked for, and the
record that says "healed" goes with the last of its rows. After a failure all gaps wait: it is one API, and one quota.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from random import Random
from zoneinfo import ZoneInfo

from producer.clock import Clock
from producer.core.budget import require_room
from producer.core.harvest import Harvest, Recovery
from producer.core.healing import LEAST, Agreement, agreement
from producer.core.poller import beside_the_loop
from producer.core.ports import Budget, History, Observer, Past, Reader, Unhealed
from producer.core.quota import Quota, seconds_to_reset, spares
from producer.core.schedule import Schedule
from producer.core.source import Source
from producer.errors import (
    AccessDenied,
    Discard,
    KafkaFailed,
    PollFailed,
    QuotaSpent,
    Retry,
    Unavailable,
    Untrusted,
    defect,
)
from producer.model import REPORT_REACH, Gap, Method, OpenGap, Reading, Rows, Snapshot, ToldSince

EDGE = 10.0
"""Seconds beyond a gap that its hits are looked for: they are dated by another clock than the gap's."""
FURTHER = 86_400.0
"""Seconds before a gap to look for hits to compare with, if the report's reach before it has too few: a quiet night."""
EARLIER = 3_600.0
"""Seconds by which the topic's clock may say that a hit was told before its own date: another machine's."""
TRIES = 5
"""Failures of a gap in a row after which it is put off: not every server has every report."""
SHORTEST_INTERVAL = 60.0
"""Seconds that bound the wait after a failure, whatever POLL_INTERVAL is."""

Found = tuple[Snapshot, Rows, Reading]


class Healer:
    """Of one source; `wake` it when gaps of its may have come or gone. `quota` costs one call."""

    def __init__(
        self,
        *,
        source: Source,
        history: History,
        past: Past,
        reader: Reader,
        budget: Budget,
        quota: Callable[[], Awaitable[Quota]],
        interval: float,
        timeout: float,
        zone: ZoneInfo,
        clock: Clock,
        rng: Random,
        observer: Observer,
    ) -> None:
        self._source = source
        self._history = history
        self._past = past
        self._reader = reader
        self._budget = budget
        self._ask_quota = quota
        self._interval = interval
        self._zone = zone
        self._clock = clock
        self._observer = observer
        self._changed = asyncio.Event()
        self._not_before = 0.0
        self._longest = max(SHORTEST_INTERVAL, interval)
        self._schedule = Schedule(interval=self._longest, timeout=timeout, start=0.0, rng=rng)

    def wake(self) -> None:
        """Look again which gap is due first."""
        self._changed.set()

    async def run(self, on_harvest: Callable[[], None]) -> None:
        """Heal what is due, one gap at a time, until cancelled; `on_harvest` is told that something waits for Kafka.

        What no try may raise is told, and the healing begins again: not at once, for it may have cost calls.
        """
        while True:
            try:
                await self._next(on_harvest)
            except Exception as error:  # noqa: BLE001 (a defect of ours must not end the healing)
                self._observer.died(self._source.server, error, retry_in=self._longest)
                await asyncio.sleep(self._longest)

    async def _next(self, on_harvest: Callable[[], None]) -> None:
        """Try the gap that is due, or rest until one may be."""
        self._changed.clear()
        due, one = self._source.healing.first() or (None, None)
        if due is None or one is None or self._source.pending.recovered is not None:
            await self._rest(None)
        elif (wait := max(due, self._not_before) - self._clock.now().wall) > 0:
            await self._rest(wait)
        else:
            await self._try(one)
            on_harvest()

    async def _rest(self, seconds: float | None) -> None:
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({changed}, timeout=seconds)
        finally:
            changed.cancel()

    async def _try(self, one: OpenGap) -> None:
        try:
            await self._heal(one)
        except (PollFailed, KafkaFailed) as error:
            self._failed(one, error)
        except Exception as error:  # noqa: BLE001 (a defect of ours must end neither the healing nor the polls)
            self._failed(one, defect(error))
        else:
            self._schedule.after_success(0.0)

    async def _heal(self, one: OpenGap) -> None:
        source, gap, reading = self._source, one.gap, self._source.healing.reading
        await self._spare_the_polls(gap)
        past = await self._told_since(gap.start - REPORT_REACH)
        found = await self._fetched(gap.start - EDGE, gap.end + EDGE)
        before = await self._covered(one, gap.start - REPORT_REACH, gap.start)
        if len(before) < LEAST:
            past = await self._told_since(gap.start - FURTHER)
            before |= await self._covered(one, gap.start - FURTHER, gap.start - REPORT_REACH)
        if source.healing.reading != reading:  # another owner may have told of it since
            raise Retry("the ledger was read again meanwhile")
        # Nothing awaits from here on. What we tell after the topic was read is in the window, or waits.
        agrees = agreement(before, {key for key in before if self._is_known(key, past)})
        if not agrees.holds:
            self._put_off(one, f"of {agrees.found} hits that the history has before it, {agrees.told} are told", agrees)
        elif past.begins is not None and past.begins > gap.start - EDGE:
            source.healing.give_up(one)
            self._tell(one, "the hits topic no longer reaches back to it: which of its hits were told nobody knows")
        else:
            self._add(gap, found, past)

    def _is_known(self, key: str, past: ToldSince) -> bool:
        return key in past.ids or key in self._source.hits or key in self._source.pending.hits

    def _add(self, gap: Gap, found: Found, past: ToldSince) -> None:
        snapshot, rows, reading = found
        hits = {key: hit for key, hit in reading.hits.items() if not self._is_known(key, past)}
        dead = self._source.new_dead(rows.dead | reading.dead)
        require_room(self._budget, len(hits) + len(dead))
        self._source.pending.add(
            Harvest(
                requested=snapshot.requested,
                received=snapshot.received,
                observed_at=snapshot.received.rfc3339(),
                hits=hits,
                changes={},
                dead=dead,
                gaps=[],
                cursor=None,
                recovery=Recovery(gap=gap, method=Method.HISTORY, found=len(rows.hits) + len(rows.dead)),
            )
        )

    async def _told_since(self, moment: float) -> ToldSince:
        return await self._past.told(self._source.server, moment - EARLIER)

    async def _covered(self, one: OpenGap, begin: float, end: float) -> dict[str, float]:
        _, _, reading = await self._fetched(begin, end)
        return self._source.healing.comparable(one, reading.hits.values())

    async def _fetched(self, begin: float, end: float) -> Found:
        snapshot = await self._history.fetch(begin, end)
        rows = await beside_the_loop(snapshot, partial(self._reader.identify, known=frozenset()))
        return snapshot, rows, await beside_the_loop(snapshot, partial(self._reader.read, rows.hits))

    async def _spare_the_polls(self, gap: Gap) -> None:
        """Raises QuotaSpent if the polls could not go on until the reset; who does not know the quota has enough."""
        try:
            quota = await self._ask_quota()
        except PollFailed:
            return
        calls = self._history.calls(gap.start - REPORT_REACH, gap.end)
        reset = seconds_to_reset(self._clock.now().wall, self._zone)
        if not spares(quota, calls, interval=self._interval, until_reset=reset):
            raise QuotaSpent(f"{quota.left} calls are left today, and the polls need them")

    def _failed(self, one: OpenGap, error: PollFailed | KafkaFailed) -> None:
        """Soon again, and nothing else before. While Kafka is away a try costs one call; else more, so not for ever."""
        asked = error if isinstance(error, PollFailed) else Retry(str(error))
        now = self._clock.now().wall
        reset = seconds_to_reset(now, self._zone)
        wait = self._schedule.after_failure(asked, now=0.0, until_loss=None, until_reset=reset)
        self._not_before = now + wait
        healing = self._source.healing
        if not healing.waits(one):
            return  # another owner healed it
        away = isinstance(error, Unavailable | Discard)
        if isinstance(error, AccessDenied | Untrusted) or (not away and healing.failed(one) >= TRIES):
            self._put_off(one, str(error))
            return
        healing.retry(one, self._not_before)
        self._tell(one, str(error), retry_in=wait)

    def _put_off(self, one: OpenGap, why: str, agrees: Agreement | None = None) -> None:
        now = self._clock.now().wall
        again = self._source.healing.put_off(one, now)
        self._tell(one, why, retry_in=None if again is None else again - now, agrees=agrees)

    def _tell(self, one: OpenGap, why: str, *, retry_in: float | None = None, agrees: Agreement | None = None) -> None:
        self._observer.not_healed(Unhealed(one.gap, why, retry_in, disagrees=agrees is not None))
