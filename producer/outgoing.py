"""What a transaction writes: for each source its events, dead letters, gaps and the ledger records that say so (pure).

Records are made one by one while they go into the batches: 60,000 of them never exist at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import chain
from typing import Any

from producer.clock import parse_rfc3339
from producer.events.cloudevents import Events, Refusal
from producer.ledger import (
    DEAD_LETTERED,
    NO_HEADERS,
    PUBLISHED,
    cursor_record,
    dead_record,
    hit_prefix,
    hit_record,
    told,
)
from producer.model import API_FIELDS, DeadRow, Hit, Outgoing, Topic
from producer.pending import Portion
from producer.ports import Told
from producer.source import Taken
from producer.wolkvox.rows import dead_row

_outgoing = partial(tuple.__new__, Outgoing)
"""From a tuple, in half the time that the class's own constructor takes: a full snapshot has 120,000 of them."""


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

    def records(self) -> Iterator[Outgoing]:
        # Chained and not `yield from`: each record would pass through every generator on its way out.
        return chain.from_iterable(self._parts())

    def _parts(self) -> Iterator[Iterable[Outgoing]]:
        for portion in self._taken.portions:
            yield self._hits(portion)
            yield self._dead(portion)
        yield self._gaps()
        yield self._forgotten()
        if self._taken.cursor is not None:
            yield [cursor_record(self._server, self._taken.cursor)]

    def _hits(self, portion: Portion) -> Iterator[Outgoing]:
        published = told(PUBLISHED, portion.harvest.observed_at)
        encode, limit, prefix, now = self._events.hit, self._limit, hit_prefix(self._server), self._now
        hits, ledger, delayed = Topic.HITS, Topic.LEDGER, self._told.delays.append
        # 60,000 times: what can be looked up before, is.
        for hit in portion.hits:
            record = encode(hit, limit=limit)
            if isinstance(record, Refusal):
                yield from self._refused(hit, record)
                continue
            key, value, headers = record
            yield _outgoing((hits, key, value, headers))
            yield _outgoing((ledger, prefix + key, published, NO_HEADERS))
            self._told.published += 1
            if (occurred := hit["occurred_at"]) is not None:
                delayed(now - _seconds(occurred))

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
        record = self._events.dead_letter(dead, observed_at=observed_at, limit=self._limit)
        return Outgoing(Topic.DEAD_LETTER, *record)

    def _gaps(self) -> Iterator[Outgoing]:
        for gap, observed_at in self._taken.gaps:
            yield Outgoing(Topic.COVERAGE, *self._events.coverage_gap(gap, observed_at=observed_at))
            self._told.gaps += 1

    def _forgotten(self) -> Iterable[Outgoing]:
        yield from (hit_record(self._server, key, None) for key in self._taken.forgotten_hits)
        yield from (dead_record(self._server, key, None) for key in self._taken.forgotten_dead)


@lru_cache(maxsize=4096)
def _seconds(occurred_at: str) -> float:
    return parse_rfc3339(occurred_at)
