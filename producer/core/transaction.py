"""What a transaction writes: for each source its events, dead letters, gaps and the ledger records that say so (pure).

Records are made by the hundred while they go into the batches: 60,000 of them never exist at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any

from producer.clock import parse_rfc3339
from producer.core.digests import NEVER_COMPARED, digest, packed
from producer.core.harvest import Harvest, Portion, Recovery
from producer.core.ledger import Kind, Outcome, changed_record, cursor_record, entry_records, gap_record, tombstone
from producer.core.ports import Told
from producer.core.taken import Taken, Written
from producer.events import Events, Refusal
from producer.garbage import collection_paused
from producer.model import API_FIELDS, REPORT_REACH, DeadRow, Entry, Hit, HitChanged, Outgoing, Series, Version
from producer.values import dead_row

_conn_id, _occurred_at = itemgetter("conn_id"), itemgetter("occurred_at")

GROUP = 500
"""Hits whose records are made together: what is done for all at once pays the more the more they are, but orjson's
bytes keep 4 kB each until they are in a batch, so that a thousand are no quicker. As many ids share a record of the
ledger."""


class Transaction:
    """The records of one transaction; making them counts into `told` and fills `written`, both by server."""

    def __init__(self, taken: Sequence[Taken], told: Mapping[str, Told], *, limit: int, now: float) -> None:
        self._taken = taken
        self._told = told
        self._limit = limit
        self._now = now
        self.written = {part.server: Written() for part in taken}

    def records(self) -> Iterator[Outgoing | Series]:
        """Everything, each source's snapshots oldest first and its cursor last."""
        return chain.from_iterable(map(self._of_source, self._taken))

    def _of_source(self, part: Taken) -> Iterator[Outgoing | Series]:
        told, written = self._told[part.server], self.written[part.server]
        return _SourceRecords(part, told, written, limit=self._limit, now=self._now).records()


class _SourceRecords:
    def __init__(self, taken: Taken, told: Told, written: Written, *, limit: int, now: float) -> None:
        self._taken = taken
        self._server = taken.server
        self._told = told
        self._written = written
        self._limit = limit
        self._now = now
        self._events = Events(server=taken.server)
        self._occurred: Counter[str | None] = Counter()

    def records(self) -> Iterator[Outgoing | Series]:
        # Chained and not `yield from`: each record would pass through every generator on its way out.
        return chain.from_iterable(self._parts())

    def _parts(self) -> Iterator[Iterable[Outgoing | Series]]:
        for portion in self._taken.portions:
            before = self._told.recovered.total(), self._told.dead_lettered
            yield from self._hits(portion)
            self._delays(observed=portion.harvest.received.wall)
            yield self._changes(portion)
            yield self._dead(portion)
            yield self._recovered(portion, before)
        yield self._gaps()
        yield map(tombstone, self._taken.tombstones)
        if self._taken.cursor is not None:
            yield [cursor_record(self._server, self._taken.cursor)]

    def _hits(self, portion: Portion) -> Iterator[Iterable[Outgoing | Series]]:
        recovery = portion.harvest.recovery
        events = self._events if recovery is None else Events(server=self._server, recovered=recovery.method)
        for start in range(0, len(portion.hits), GROUP):
            group, ids = portion.hits[start : start + GROUP], portion.ids[start : start + GROUP]
            with collection_paused():
                series = events.together(group, limit=self._limit)
            if series is None:
                yield self._one_by_one(group, portion.harvest, events)
                continue
            yield [series]
            yield self._done(ids, group, Outcome.PUBLISHED, portion.harvest)
            self._count(group, recovery)

    def _one_by_one(self, hits: Iterable[Hit], harvest: Harvest, events: Events) -> Iterator[Outgoing]:
        published, refused = list[Hit](), list[Hit]()
        for hit in hits:
            record = events.hit(hit, limit=self._limit)
            if isinstance(record, Refusal):
                yield self._refused(hit, record)
                refused.append(hit)
            else:
                yield record
                published.append(hit)
        self._count(published, harvest.recovery)
        for some, outcome in ((published, Outcome.PUBLISHED), (refused, Outcome.DEAD_LETTERED)):
            yield from self._done(list(map(_conn_id, some)), some, outcome, harvest)

    def _done(self, ids: Sequence[str], hits: Sequence[Hit], outcome: Outcome, harvest: Harvest) -> Iterator[Outgoing]:
        """The ledger's word on hits of one snapshot."""
        at = harvest.observed_at
        said = packed(hits) if harvest.recovery is None else NEVER_COMPARED * len(ids)
        for entry, record in self._entries(Kind.TOLD, ids, said, outcome=outcome, observed_at=at):
            self._written.hits.append(entry)
            yield record

    def _changes(self, portion: Portion) -> Iterator[Outgoing]:
        for hit in portion.changes:
            conn_id, observed_at = hit["conn_id"], portion.harvest.observed_at
            changed: HitChanged = {**hit, "first_observed_at": self._taken.first_observed[conn_id]}
            record = self._events.change(changed, limit=self._limit)
            outcome = Outcome.DEAD_LETTERED if isinstance(record, Refusal) else Outcome.PUBLISHED
            yield self._refused(hit, record) if isinstance(record, Refusal) else record
            self._told.changed += outcome is Outcome.PUBLISHED
            version = self._written.changed[conn_id] = Version(digest(hit), observed_at)
            yield changed_record(self._server, conn_id, version, outcome=outcome)

    def _entries(
        self, kind: Kind, ids: Sequence[str], digests: bytes, *, outcome: Outcome, observed_at: str
    ) -> Iterator[tuple[Entry, Outgoing]]:
        if not ids:
            return iter(())
        return entry_records(
            kind, self._server, ids, outcome=outcome, observed_at=observed_at, limit=self._limit, digests=digests
        )

    def _count(self, hits: Sequence[Hit], recovery: Recovery | None) -> None:
        if recovery is not None:
            self._told.recovered[recovery.method] += len(hits)
            return
        self._told.published += len(hits)
        self._occurred.update(map(_occurred_at, hits))

    def _delays(self, *, observed: float) -> None:
        """What was older than the report reaches when it was first seen did not wait for us: a chat is dated when it
        was opened, and may be closed as a hit a day later."""
        self._occurred.pop(None, None)
        for moment, count in self._occurred.items():
            assert moment is not None
            occurred = _seconds(moment)
            if observed - occurred <= REPORT_REACH:
                self._told.delays[self._now - occurred] += count
        self._occurred.clear()

    def _refused(self, hit: Hit, refusal: Refusal) -> Outgoing:
        """A hit that would fail each transaction, or that its schema refuses: a dead letter, and its id is done."""
        row: dict[str, Any] = {name: value for name, value in hit.items() if name in API_FIELDS}
        dead = dead_row(row | hit.get("extra", {}), refusal.reason, refusal.pointer)
        return self._letter(dead, hit["observed_at"])

    def _dead(self, portion: Portion) -> Iterator[Outgoing]:
        observed_at = portion.harvest.observed_at
        for start in range(0, len(portion.dead), GROUP):
            group = portion.dead[start : start + GROUP]
            yield from (self._letter(dead, observed_at) for dead in group)
            keys, outcome = [dead.key for dead in group], Outcome.DEAD_LETTERED
            for entry, record in self._entries(Kind.DEAD, keys, b"", outcome=outcome, observed_at=observed_at):
                self._written.dead.append(entry)
                yield record

    def _letter(self, dead: DeadRow, observed_at: str) -> Outgoing:
        self._told.dead_lettered += 1
        return self._events.dead_letter(dead, observed_at=observed_at, limit=self._limit)

    def _gaps(self) -> Iterator[Outgoing]:
        for gap, observed_at in self._taken.gaps:
            yield self._events.coverage_gap(gap, observed_at=observed_at)
            self._told.gaps.append(gap)
        yield from map(gap_record, self._taken.opened)

    def _recovered(self, portion: Portion, before: tuple[int, int]) -> Iterator[Outgoing]:
        """What a portion of recovered rows adds up to, and with the last one that the gap is healed."""
        if portion.harvest.recovery is None:
            return
        published, dead = self._told.recovered.total() - before[0], self._told.dead_lettered - before[1]
        recovery = self._written.recovery = portion.harvest.recovery.counted(published=published, dead_lettered=dead)
        if portion.last and (outcome := recovery.outcome()) is not None:
            yield self._events.gap_recovered(outcome, observed_at=portion.harvest.observed_at)
            self._told.recoveries.append(outcome)
            yield from map(tombstone, self._taken.healed())


def _seconds(occurred_at: str) -> float:
    """As `parse_rfc3339`, which is asked once a minute: of the 3,600 seconds of an hour that takes 20 ms."""
    return _of_minute(f"{occurred_at[:17]}00{occurred_at[19:]}") + int(occurred_at[17:19])


@lru_cache(maxsize=1024)
def _of_minute(occurred_at: str) -> float:
    return parse_rfc3339(occurred_at)
