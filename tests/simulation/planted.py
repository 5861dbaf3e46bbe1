"""Twenty-three bugs, each a mistake somebody has made, planted one at a time to see that the simulation finds them.

with planted("memory before the commit"):
    run_seed(...)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import producer.core.shard
import producer.core.source
from producer.clock import Clock, Moment
from producer.core.budget import Pendings
from producer.core.comparison import Comparison, KnownRows
from producer.core.cursor import LedgerCursor
from producer.core.digests import digest
from producer.core.harvest import Harvest
from producer.core.healer import Found, Healer
from producer.core.healing import Agreement
from producer.core.pending import Pending
from producer.core.ports import ShardStore, Told
from producer.core.settlement import Settlement
from producer.core.source import Source
from producer.core.takeover import Takeover
from producer.core.transaction import Transaction
from producer.core.window import Window
from producer.model import (
    Entry,
    Gap,
    Hit,
    Outgoing,
    Rows,
    Series,
    Snapshot,
    SourceFold,
    ToldSince,
    Topic,
    Version,
    each,
)
from tests.simulation.broker import SimulatedStore
from tests.twins.memory_kafka import MemoryKafka, MemoryProducer, Record

Patch = Callable[[], Any]


@contextmanager
def planted(bug: str) -> Iterator[None]:
    """The bug, while inside."""
    with BUGS[bug]():
        yield


async def _settled_first(
    sources: Sequence[Source], store: ShardStore, clock: Clock, told: Mapping[str, Told], *, room: int
) -> None:
    """Memory changes before the commit: what a failed one carried waits no more."""
    taken = [source.take(room, told[source.server].dropped) for source in sources]
    transaction = Transaction(taken, told, limit=store.limit, now=clock.now().wall)
    records = list(transaction.records())
    for source, part in zip(sources, taken, strict=True):
        source.settle(part, transaction.written[source.server])
    await store.commit(records)


def _whatever_was_delivered(_store: SimulatedStore, _failed: bool) -> None:  # noqa: FBT001 (as the original)
    """The batches' futures are not gathered: the commit goes on without those that failed."""


def _no_fencing(self: MemoryProducer) -> None:
    """Whoever held the id once writes and commits under it."""


def _uncommitted(self: MemoryKafka, topic: Topic, partition: int | None = None) -> list[Record]:
    """The ledger read with read_uncommitted: open and aborted transactions count."""
    numbers = range(self.partitions[topic]) if partition is None else [partition]
    entries = (entry.record for number in numbers for entry in self._logs[topic, number])
    return [record for record in entries if record is not None]


def _expired_at_once(window: Window, newest: Harvest | None) -> list[Entry]:
    """Ids are let go as soon as they are not in the latest snapshot."""
    if newest is None:
        return []
    latest = max((seen.boot for seen in window._seen.values()), default=0.0)
    return [entry for entry, seen in window._seen.items() if seen.boot < latest]


def _released_with_all(self: Source) -> None:
    """Giving up a shard throws away what waits."""
    self.hits.clear()
    self.dead.clear()
    self.pending = Pending()


async def _cursor_first(self: SimulatedStore, records: Iterable[Outgoing | Series]) -> None:
    """The cursor goes in a transaction of its own, before the rows that it speaks of."""
    all_of_them = list(each(records))
    cursors = [record for record in all_of_them if record.key.startswith(b"cursor/")]
    await _commit(self, cursors)
    await _commit(self, [record for record in all_of_them if not record.key.startswith(b"cursor/")])


def _never_told(self: LedgerCursor, gap: Gap, *, requested: Moment, end: Moment, received: Moment) -> Gap:
    """Nobody asks whether the ledger's cursor has passed a gap."""
    return self._rest_of(gap, end=end, received=received)


def _dead_forgotten(self: Source, fold: SourceFold, now: Moment) -> bool:
    """After a restart nobody remembers which dead letters were written."""
    return bool(_restore(self, replace(fold, dead=()), now))


def _whoever_holds_it(self: Pendings, rows: int) -> None:
    """Room is made with rows of our own shards too, whose sources nobody else polls; their time stays covered."""
    for source in self._sources:
        if self.waiting() + rows > self.limit:
            told = Told()
            told.dropped.elsewhere += len(source.pending)
            source.pending = Pending()
            self._on_dropped({source.server: told})


def _just_seen(_observed_at: str, now: Moment) -> Moment:
    """Each owner remembers what it reads as if it had just seen it: who come and go remember for ever."""
    return now


def _never_forgotten(self: Window, entries: Iterable[Entry]) -> None:
    """What the ledger has let go stays in memory: it grows for ever, and a row that comes back is not told."""


async def _without_looking(self: Takeover) -> None:
    """After an unknown commit the same records go again, with a new producer and the old memory."""
    if all(source.held for source in self._sources):
        await self._store.take()
    else:
        await _take(self)


async def _as_far_as_it_knows(self: SimulatedStore, _barrier: int) -> None:
    """No barrier: the ledger ends where the broker that is asked believes it does, deposed or not."""


def _believed(_self: SimulatedStore, _producer: MemoryProducer, *, begun: bool, published: bool) -> None:
    """An empty ledger is one of a fresh installation, whatever was published."""


def _changes_forgotten(self: Source, fold: SourceFold, now: Moment) -> bool:
    """The next owner knows what was told first, and not what changed since."""
    return bool(_restore(self, replace(fold, changed={}), now))


def _first_believed(self: Comparison, snapshot: Snapshot, rows: Rows, **more: Any) -> KnownRows:
    """What was told is known by id after a restart, not what it said: the first snapshot is taken as told."""
    if self._compared is None:
        self.holds = True
        return []
    return _known(self, snapshot, rows, **more)


def _every_answer_known(_self: Comparison, snapshot: Snapshot) -> bool:
    """Rows that the last answer had are not asked about, whether somebody took that answer or not."""
    return snapshot.parsed is not None


def _whoever_saw_it_first(self: Settlement, hit: Hit, harvest: Harvest) -> bool:
    """A version that another owner has left behind is told after his."""
    return self.hits.version(hit["conn_id"]) == Version(digest(hit), harvest.observed_at)


def _any_words(self: Pending, _harvest: Harvest, key: str) -> Harvest | None:
    """Words that were dropped are told of a later snapshot that showed the hit, in these words or in others."""
    return self._shown.get(key)


def _kept_waiting(_self: Pending) -> None:
    """What was recovered goes on waiting when the ledger was read again, which may say that the gap is healed."""


def _by_the_window_alone(self: Healer, gap: Gap, found: Found, past: ToldSince) -> None:
    """What the ledger has forgotten is not looked for on the topic."""
    _add(self, gap, found, replace(past, ids=frozenset()))


_add = Healer._add
_known = Comparison.known
_commit, _restore, _take = SimulatedStore.commit, Source.restore, Takeover.take


def _of(owner: Any, name: str, value: Any) -> Patch:
    return lambda: patch.object(owner, name, value)


BUGS: dict[str, Patch] = {
    "memory before the commit": _of(producer.core.shard, "commit_once", _settled_first),
    "futures not gathered": _of(SimulatedStore, "_delivered", _whatever_was_delivered),
    "fencing ignored": _of(MemoryProducer, "_require_own", _no_fencing),
    "ledger read uncommitted": _of(MemoryKafka, "committed", _uncommitted),
    "tombstone too early": _of(producer.core.source, "_expired", _expired_at_once),
    "pending dropped on revocation": _of(Source, "release", _released_with_all),
    "cursor outside the transaction": _of(SimulatedStore, "commit", _cursor_first),
    "gap told twice": _of(LedgerCursor, "untold", _never_told),
    "dead letter repeated": _of(Source, "restore", _dead_forgotten),
    "room made with rows of our own": _of(Pendings, "make_room", _whoever_holds_it),
    "a digest not restored": _of(Comparison, "known", _first_believed),
    "unparsed rows taken for known": _of(Comparison, "parsed_only", _every_answer_known),
    "a change told again by the next owner": _of(Source, "restore", _changes_forgotten),
    "an older version after a later one": _of(Settlement, "_is_told", _whoever_saw_it_first),
    "earlier words of a later snapshot": _of(Pending, "shown_again", _any_words),
    "memory that only grows": _of(Window, "forget", _never_forgotten),
    "just seen": _of(producer.core.source, "_last_seen", _just_seen),
    "no barrier": _of(SimulatedStore, "_pass", _as_far_as_it_knows),
    "an empty ledger believed": _of(SimulatedStore, "_begin", _believed),
    "retry without reading the ledger": _of(Takeover, "take", _without_looking),
    "the agreement not asked": _of(Agreement, "holds", True),
    "a gap healed twice": _of(Pending, "withdraw", _kept_waiting),
    "the topic not asked for what the ledger forgot": _of(Healer, "_add", _by_the_window_alone),
}
"""Each bug by its name, and how it is put in."""
