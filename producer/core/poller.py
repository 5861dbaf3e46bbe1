"""The product on one screen: a poll turns a snapshot into events, a commit makes them true.

    fetch -> identify -> read what is new or may have changed -> what did wait for Kafka      poll_once
    take  -> events, validated -> one transaction with the ledger -> remember                 commit_once

They are two halves on purpose: polling has a deadline (the API forgets), committing has not (memory waits), so a slow
or absent Kafka never silences the polling.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import TypeVar
from uuid import uuid4

from producer.clock import Clock
from producer.core.budget import require_room
from producer.core.digests import digests
from producer.core.harvest import Harvest
from producer.core.ports import Api, Budget, Polled, Reader, ShardStore, Told
from producer.core.source import Source
from producer.core.transaction import Transaction
from producer.errors import KafkaFailed
from producer.model import RECORD_CAP, Drift, RawRow, Reading, Row, Rows, Snapshot

ROWS_PER_TRANSACTION = RECORD_CAP
"""A full snapshot fits into one transaction, an outage's worth is told in several."""

ROWS_INLINE, BYTES_INLINE = 2_000, 1024 * 1024
"""Up to here identifying and reading take a few milliseconds, at worst some tens: less than a thread is worth."""

Step = TypeVar("Step")


class Poller:
    """One source's polls. `budget` bounds what all sources together may keep waiting."""

    def __init__(self, *, source: Source, api: Api, reader: Reader, budget: Budget) -> None:
        self.source = source
        self._api = api
        self._reader = reader
        self._budget = budget

    async def poll_once(self) -> Polled:
        """One snapshot, from the API to pending; raises PollFailed, and then nothing has changed."""
        began = perf_counter()
        snapshot = await self._api.fetch()
        parsed_only, ids = self.source.parsed_only(snapshot), self.source.hits.known
        rows = await beside_the_loop(snapshot, partial(self._reader.identify, known=ids, parsed_only=parsed_only))
        if parsed_only and not self.source.parsed_only(snapshot):
            rows.fresh, rows.unmarked = None, 0  # the shard was taken anew meanwhile: ask for every id
        unseen, known = self.source.unseen(rows), self.source.known(snapshot, rows)
        require_room(self._budget, len(unseen))
        found, said = await beside_the_loop(snapshot, partial(self._read, unseen, known))
        hits, dead, changes = found.hits, rows.dead | found.dead, self.source.changes(found.again, said)
        # Asked again with nothing awaited before the take: other sources may have filled the room meanwhile.
        require_room(self._budget, len(hits) + len(changes) + len(self.source.new_dead(dead)))
        still = self.source.stands_still(snapshot, rows, hits or changes)
        harvest = self.source.add(snapshot, rows, hits=hits, changes=changes, dead=dead)
        pending, seconds = len(self.source.pending), perf_counter() - began
        return _polled(snapshot, rows, found, harvest, still=still, pending=pending, seconds=seconds)

    def _read(
        self, unseen: Mapping[str, Row | RawRow], known: Sequence[Mapping[str, Row | RawRow]], snapshot: Snapshot
    ) -> tuple[Reading, list[Mapping[str, bytes]]]:
        found = self._reader.read(unseen, snapshot, again=known)
        return found, [dict(zip(hits, digests(hits.values()), strict=True)) for hits in found.again]


async def commit_once(
    sources: Sequence[Source],
    store: ShardStore,
    clock: Clock,
    told: Mapping[str, Told],
    *,
    room: int = ROWS_PER_TRANSACTION,
) -> None:
    """One transaction of what waits, `room` rows at most over the sources of one shard; counts into `told`, by server.

    Raises KafkaFailed, and then all that was taken still waits (what was dropped at the take stays dropped).
    """
    taken = []
    for source in sources:
        taken.append(source.take(room, told[source.server].dropped))
        room -= taken[-1].rows
    transaction = Transaction(taken, told, limit=store.limit, now=clock.now().wall)
    try:
        await store.commit(transaction.records())
    except (KafkaFailed, asyncio.CancelledError):
        for source, part in zip(sources, taken, strict=True):
            source.doubt(part)
        raise
    for source, part in zip(sources, taken, strict=True):
        source.settle(part, transaction.written[source.server])


async def beside_the_loop(snapshot: Snapshot, step: Callable[[Snapshot], Step]) -> Step:
    """A step of the reader; for a large answer in a thread, for one of hostile rows may take seconds."""
    if len(snapshot.rows) <= ROWS_INLINE and snapshot.size <= BYTES_INLINE:
        return step(snapshot)
    return await asyncio.to_thread(step, snapshot)


def _polled(
    snapshot: Snapshot, rows: Rows, found: Reading, harvest: Harvest, *, still: bool, pending: int, seconds: float
) -> Polled:
    unmarked = rows.unmarked + len(found.unmarked)
    return Polled(
        server=snapshot.server,
        poll=uuid4().hex[:8],
        rows=len(snapshot.rows),
        new=len(found.hits),
        changed=len(harvest.changes),
        duplicate=len(snapshot.rows) - harvest.rows - rows.summaries - unmarked,
        dead=len(harvest.dead),
        summaries=rows.summaries,
        unmarked=unmarked,
        doubtful=found.doubtful,
        dates_unparsed=found.dates_unparsed,
        newest=found.newest,
        pending=pending,
        seconds=seconds,
        fetch_seconds=snapshot.seconds,
        truncated=snapshot.truncated,
        not_found=snapshot.not_found,
        drift=_drift(snapshot, rows, still=still),
    )


def _drift(snapshot: Snapshot, rows: Rows, *, still: bool) -> Mapping[Drift, int]:
    own = {Drift.TOTAL_LINE: rows.summaries, Drift.STANDS_STILL: int(still)}
    return snapshot.drift | rows.drift | {kind: count for kind, count in own.items() if count}
