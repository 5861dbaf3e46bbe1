"""What a transaction writes: for each source its events, dead letters, gaps and the ledger records that say so (pure).

Records are made by the hundred while they go into the batches: 60,000 of them never exist at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import chain, repeat
from operator import itemgetter
from typing import Any

from producer.clock import parse_rfc3339
from producer.core.ledger import (
    DEAD_LETTERED,
    NO_HEADERS,
    PUBLISHED,
    cursor_record,
    dead_record,
    hit_prefix,
    hit_record,
    told,
)
from producer.core.pending import Portion
from producer.core.ports import Told
from producer.core.source import Taken
from producer.events import Events, Refusal
from producer.garbage import collection_paused
from producer.model import API_FIELDS, REPORT_REACH, DeadRow, Hit, Outgoing, Topic
from producer.values import dead_row

_occurred_at = itemgetter("occurred_at")
_outgoing = partial(tuple.__new__, Outgoing)
"""From a tuple, in half the time that the class's own constructor takes: a full snapshot has 120,000 of them."""

GROUP = 250
"""Hits whose records are made together: what is done for all at once pays from fifty on, and orjson's bytes keep 4 kB
each until they are in a batch, so that a thousand are slower again."""


class Transaction:
    """The records of one transaction; making them counts into `told`, by server."""

    def __init__(self, taken: Sequence[Taken], told: Mapping[str, Told], *, limit: int, now: float) -> None:
        self._taken = taken
        self._told = told
        self._limit = limit
        self._now = now

    def records(self) -> Iterator[Outgoing]:
        """Everything, each source's snapshots oldest first and its cursor last."""
        return chain.from_iterable(
            _SourceRecords(part, self._told[part.server], limit=self._limit, now=self._now).records()
            for part in self._taken
        )


class _SourceRecords:
    def __init__(self, taken: Taken, told: Told, *, limit: int, now: float) -> None:
        self._taken = taken
        self._server = taken.server
        self._told = told
        self._limit = limit
        self._now = now
        self._events = Events(server=taken.server)
        self._occurred: Counter[str | None] = Counter()

    def records(self) -> Iterator[Outgoing]:
        # Chained and not `yield from`: each record would pass through every generator on its way out.
        return chain.from_iterable(self._parts())

    def _parts(self) -> Iterator[Iterable[Outgoing]]:
        for portion in self._taken.portions:
            yield from self._hits(portion)
            self._delays(observed=portion.harvest.received.wall)
            yield self._dead(portion)
        yield self._gaps()
        yield self._forgotten()
        if self._taken.cursor is not None:
            yield [cursor_record(self._server, self._taken.cursor)]

    def _hits(self, portion: Portion) -> Iterator[Iterable[Outgoing]]:
        published = told(PUBLISHED, portion.harvest.observed_at)
        for start in range(0, len(portion.hits), GROUP):
            group = portion.hits[start : start + GROUP]
            with collection_paused():
                columns = self._events.together(group, limit=self._limit)
            if columns is None:
                yield self._one_by_one(group, published)
                continue
            keys, values, headers = columns
            yield map(_outgoing, zip(repeat(Topic.HITS), keys, values, headers, strict=False))
            yield self._ledger(keys, published)
            self._count(group)

    def _one_by_one(self, hits: Iterable[Hit], published: bytes) -> Iterator[Outgoing]:
        for hit in hits:
            record = self._events.hit(hit, limit=self._limit)
            if isinstance(record, Refusal):
                yield from self._refused(hit, record)
                continue
            yield record
            yield from self._ledger([record.key], published)
            self._count([hit])

    def _ledger(self, keys: Iterable[bytes], value: bytes) -> Iterator[Outgoing]:
        prefixed = map(hit_prefix(self._server).__add__, keys)
        return map(_outgoing, zip(repeat(Topic.LEDGER), prefixed, repeat(value), repeat(NO_HEADERS), strict=False))

    def _count(self, hits: Sequence[Hit]) -> None:
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

    def _refused(self, hit: Hit, refusal: Refusal) -> Iterator[Outgoing]:
        """A hit that would fail each transaction, or that its schema refuses: a dead letter, and its id is done."""
        row: dict[str, Any] = {name: value for name, value in hit.items() if name in API_FIELDS}
        dead = dead_row(row | hit.get("extra", {}), refusal.reason, refusal.pointer)
        yield self._letter(dead, hit["observed_at"])
        yield hit_record(self._server, hit["conn_id"], told(DEAD_LETTERED, hit["observed_at"]))
        self._told.dead_lettered += 1

    def _dead(self, portion: Portion) -> Iterator[Outgoing]:
        observed_at = portion.harvest.observed_at
        for dead in portion.dead:
            yield self._letter(dead, observed_at)
            yield dead_record(self._server, dead.key, told(DEAD_LETTERED, observed_at))
            self._told.dead_lettered += 1

    def _letter(self, dead: DeadRow, observed_at: str) -> Outgoing:
        return self._events.dead_letter(dead, observed_at=observed_at, limit=self._limit)

    def _gaps(self) -> Iterator[Outgoing]:
        for gap, observed_at in self._taken.gaps:
            yield self._events.coverage_gap(gap, observed_at=observed_at)
            self._told.gaps.append(gap)

    def _forgotten(self) -> Iterable[Outgoing]:
        yield from (hit_record(self._server, key, None) for key in self._taken.forgotten_hits)
        yield from (dead_record(self._server, key, None) for key in self._taken.forgotten_dead)


@lru_cache(maxsize=4096)
def _seconds(occurred_at: str) -> float:
    return parse_rfc3339(occurred_at)
