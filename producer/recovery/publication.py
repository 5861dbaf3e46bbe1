"""Tells what was found of one source, beside the service that owns it or without one.

    take the shard's transactional id -> the ledger's fold -> what is still new -> transactions as the owner's own

Taking the id fences the owner. He asks his group, takes the id back and reads the ledger, which has these ids by then:
neither tells what the other has told. If he is back too soon we are fenced in turn, and try again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from random import Random

from producer.clock import Clock, Moment
from producer.core.digests import SIZE
from producer.core.harvest import Harvest, Recovery
from producer.core.healer import EDGE
from producer.core.poller import ROWS_PER_TRANSACTION, commit_once
from producer.core.ports import ShardStore, Told
from producer.core.source import Source
from producer.errors import Discard, Fenced, TooSlow, Unavailable
from producer.model import DeadRow, Entry, Gap, Hit, Method, SourceFold
from producer.recovery.found import Found, Judged, moment_of

TRIES = 10
LONGEST_WAIT = 2.0
"""Seconds between two tries: so long an owner takes at most to come back and to commit, and then he is quiet."""


@dataclass(slots=True)
class Outcome:
    """What became of it: hits published, rows dead-lettered, hits that the ledger had, gaps that wait no more."""

    published: int = 0
    dead_lettered: int = 0
    told: int = 0
    recovered: int = 0

    def count(self, told: Told) -> None:
        """A transaction is on Kafka."""
        self.published += told.recovered.total()
        self.dead_lettered += told.dead_lettered
        self.recovered += len(told.recoveries)


class Publication:
    """Of one server, into the shard of `store`. `keep` and `window` are its source's, as in the service.

    `refused` gives the ids that the ledger has as dead letters; they count as told unless dead letters are recovered.
    `say` is told why it tries again, `pause` is asyncio.sleep but in tests.
    """

    def __init__(
        self,
        *,
        server: str,
        keep: float,
        window: float,
        store: ShardStore,
        refused: Callable[[], Awaitable[AbstractSet[str]]],
        clock: Clock,
        rng: Random,
        say: Callable[[str], object],
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
        room: int = ROWS_PER_TRANSACTION,
    ) -> None:
        self._server = server
        self._keep = keep
        self._window = window
        self._store = store
        self._refused = refused
        self._clock = clock
        self._rng = rng
        self._say = say
        self._pause = pause
        self._room = room

    async def publish(
        self, found: Found, by_topic: Judged, *, asked: Moment, healing: tuple[float, float] | None = None
    ) -> Outcome:
        """Tell what is new; `asked` is when the hits topic was read. Raises KafkaFailed.

        Gaps that wait in the ledger and lie wholly between the two moments of `healing` are healed by it.
        """
        work = _Work(found, by_topic, asked, healing)
        for left in reversed(range(TRIES)):
            try:
                await self._once(work)
            except Discard as error:
                if not left:
                    raise
                self._room = max(1, self._room // 2) if isinstance(error, TooSlow) else self._room
                why = "the owner took the shard back" if isinstance(error, Fenced) else str(error)
                self._say(f"{why}: once more, {left} tries are left")
                await self._pause(self._rng.uniform(0.1, LONGEST_WAIT))
            else:
                break
        return work.outcome

    async def _once(self, work: _Work) -> None:
        try:
            fold = (await self._store.take()).get(self._server, SourceFold())
            if work.found.method is Method.DEAD_LETTER:
                fold = _without(fold, await self._refused())
            await self._tell(work, fold, self._store)
        finally:
            await self._store.discard()

    async def _tell(self, work: _Work, fold: SourceFold, store: ShardStore) -> None:
        # With `heal_after`: the gaps that wait stay what they are, whatever RECOVER_GAPS is.
        source = Source(server=self._server, keep=self._keep, window=self._window, heal_after=0.0)
        source.restore(fold, self._clock.now())
        work.leave_out(source)
        for harvest in work.harvests(source, fold):
            source.pending.add(harvest)
            while source.pending:
                told = Told()
                work.doubtful = set(source.pending.hits)
                await commit_once([source], store, self._clock, {self._server: told}, room=self._room)
                work.committed(source, told)
                if told.dropped.superseded:
                    raise Unavailable("the topic was read so long ago that its owner may have forgotten since: again")


class _Work:
    """What is left to tell, and what became of the rest."""

    def __init__(self, found: Found, by_topic: Judged, asked: Moment, healing: tuple[float, float] | None) -> None:
        self.found = found
        self.outcome = Outcome()
        self.doubtful: AbstractSet[str] = set()
        """What a transaction carried whose outcome nobody knows."""
        self._left = dict(by_topic.new)
        self._unknown = by_topic.unknown
        self._asked = asked
        self._healing = healing

    def leave_out(self, source: Source) -> None:
        """What the ledger has: from a transaction of ours that was doubtful, or from its owner."""
        known = self._pop_known(source)
        ours = len(self.doubtful & known)
        self.outcome.published += ours
        self.outcome.told += len(known) - ours
        self.doubtful = set()

    def committed(self, source: Source, told: Told) -> None:
        """A transaction is on Kafka."""
        self.doubtful = set()
        self.outcome.count(told)
        self._pop_known(source)

    def _pop_known(self, source: Source) -> set[str]:
        known = set(source.hits.among(self._left.keys()))
        for key in known:
            del self._left[key]
        return known

    def harvests(self, source: Source, fold: SourceFold) -> Iterator[Harvest]:
        """One for each gap that it heals, and one of the rest."""
        for gap in self._gaps(fold):
            hits = self._within(gap, self._left)
            yield self._harvest(hits, {}, Recovery(gap, self.found.method, len(self._within(gap, self.found.hits))))
        dead = source.new_dead(self.found.dead)
        if self._left or dead:
            yield self._harvest(dict(self._left), dead, Recovery(None, self.found.method, len(self.found.hits)))

    def _gaps(self, fold: SourceFold) -> Sequence[Gap]:
        if self._healing is None:
            return []
        begin, end = self._healing
        inside = (one.gap for one in fold.gaps if begin <= one.gap.start and one.gap.end <= end)
        return sorted((gap for gap in inside if not self._within(gap, self._unknown)), key=lambda gap: gap.start)

    def _within(self, gap: Gap, hits: Mapping[str, Hit]) -> dict[str, Hit]:
        return {key: hit for key, hit in hits.items() if gap.start - EDGE <= moment_of(hit) <= gap.end + EDGE}

    def _harvest(self, hits: dict[str, Hit], dead: dict[str, DeadRow], recovery: Recovery) -> Harvest:
        return Harvest(
            requested=self._asked,
            received=self.found.at,
            observed_at=self.found.at.rfc3339(),
            hits=hits,
            changes={},
            dead=dead,
            gaps=[],
            cursor=None,
            recovery=recovery,
        )


def _without(fold: SourceFold, ids: AbstractSet[str]) -> SourceFold:
    """The fold as if it did not know these ids."""
    return replace(fold, hits=[_entry_without(entry, ids) for entry in fold.hits], by_id=None)


def _entry_without(entry: Entry, ids: AbstractSet[str]) -> Entry:
    if ids.isdisjoint(entry.ids):
        return entry
    kept = [place for place, key in enumerate(entry.ids) if key not in ids]
    digests = b"".join(entry.digests[SIZE * place : SIZE * (place + 1)] for place in kept)
    return Entry(entry.key, entry.observed_at, [entry.ids[place] for place in kept], digests)
