"""What waits for Kafka: per snapshot what it brought, oldest first (pure).

Rows stay here until the transaction that carries them is committed, so a failed one loses nothing and a hit that left
the API's window meanwhile is published all the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from producer.clock import Moment
from producer.model import Cursor, DeadRow, Gap, GapKind, GapRecovered, Hit, Method


@dataclass(frozen=True, slots=True)
class Recovery:
    """That a harvest is of rows that no snapshot showed: how they were found, and of which gap they are, if of one.

    `found` rows were there; so many are on Kafka from the harvest's earlier portions.
    """

    gap: Gap | None
    method: Method
    found: int
    published: int = 0
    dead_lettered: int = 0

    def counted(self, *, published: int, dead_lettered: int) -> Recovery:
        """The same after a further portion."""
        return replace(self, published=self.published + published, dead_lettered=self.dead_lettered + dead_lettered)

    def outcome(self) -> GapRecovered | None:
        """What became of the gap, with all of it on Kafka; None if it is of none.

        What is neither published nor a dead letter now had been told: before it was looked for, or until it was sent.
        """
        if self.gap is None:
            return None
        return GapRecovered(
            server=self.gap.server,
            start=self.gap.start,
            end=self.gap.end,
            method=self.method,
            found=self.found,
            published=self.published,
            already_told=self.found - self.published - self.dead_lettered,
        )


@dataclass(slots=True, eq=False)
class Harvest:
    """What one snapshot brought that Kafka does not have yet; `cursor` None if it vouches for no time."""

    requested: Moment
    received: Moment
    observed_at: str
    hits: dict[str, Hit] = field(repr=False)  # people's data: not in an error's text either
    changes: dict[str, Hit] = field(repr=False)
    """What it showed of ids that are told, or wait in an older harvest, and read otherwise there."""
    dead: dict[str, DeadRow] = field(repr=False)
    gaps: list[Gap]
    cursor: Cursor | None
    truncated: bool = False
    begins: bool = False
    """Whether no time before it is known to be covered, so that its gaps can't be either."""
    recovery: Recovery | None = None

    def end_of(self, gap: Gap) -> Moment:
        """When one of its gaps ends, on both clocks."""
        anchor = self.received if gap.kind is GapKind.UNPOLLED else self.requested
        return Moment(gap.end, anchor.boot - (anchor.wall - gap.end))

    @property
    def rows(self) -> int:
        """Hits, changes and dead rows in it; often none, and then it still has its cursor."""
        return len(self.hits) + len(self.changes) + len(self.dead)

    @property
    def is_quiet(self) -> bool:
        """Whether all it has to tell is its cursor."""
        return not (self.rows or self.gaps or self.recovery)


@dataclass(frozen=True, slots=True)
class Portion:
    """The part of a harvest that goes into one transaction; `last` if nothing of it stays behind."""

    harvest: Harvest
    ids: list[str]
    hits: list[Hit] = field(repr=False)
    changes: list[Hit] = field(repr=False)
    dead: list[DeadRow] = field(repr=False)
    last: bool

    @property
    def rows(self) -> int:
        """Hits, changes and dead rows in it."""
        return len(self.hits) + len(self.changes) + len(self.dead)


class Pending:
    """The queue of one source's harvests, with their ids for a quick look."""

    def __init__(self) -> None:
        self._queue: deque[Harvest] = deque()
        self.hits: dict[str, Hit] = {}
        self.changes: dict[str, Hit] = {}
        """Of each id the last version that waits; `hits` has the first."""
        self.dead: set[str] = set()
        self.recovered: Harvest | None = None
        """What waits of rows that no snapshot showed; of one gap at a time."""
        self._changes = 0

    def __len__(self) -> int:
        """Rows that wait."""
        return len(self.hits) + self._changes + len(self.dead)

    def __bool__(self) -> bool:
        """Whether anything waits, be it only a cursor."""
        return bool(self._queue)

    def add(self, harvest: Harvest) -> None:
        """Queue behind all older ones; none of its ids may wait already.

        A quiet one takes the place of a quiet one before it, whose cursor it passes: a day without Kafka and without
        hits would be 86,400 of them (53 MB). Not that of a beginning, which may have a gap yet, up to its own receipt.
        """
        if harvest.is_quiet:
            if harvest.cursor is None:
                return
            if self._queue and self._queue[-1].is_quiet and not self._queue[-1].begins:
                self._queue.pop()
        self._queue.append(harvest)
        self.recovered = harvest if harvest.recovery else self.recovered
        self.hits |= harvest.hits
        self.changes |= harvest.changes
        self.dead |= harvest.dead.keys()
        self._changes += len(harvest.changes)

    def last(self, key: str) -> Hit | None:
        """The last version of a hit that waits."""
        return self.changes.get(key) or self.hits.get(key)

    def recovers(self, key: str) -> bool:
        """Whether it is a hit that waits and that no snapshot has shown."""
        return self.recovered is not None and key in self.recovered.hits

    def drop(
        self, harvest: Harvest, hits: Collection[str] = (), changes: Collection[str] = (), dead: Collection[str] = ()
    ) -> int:
        """These rows of a harvest need to wait no longer; how many they were."""
        for waiting in (self.hits, harvest.hits):
            if len(hits) == len(waiting):
                waiting.clear()  # nearly always: all that waits was told
            else:
                for key in hits:
                    del waiting[key]
        for key in changes:
            if harvest.changes.pop(key) is self.changes.get(key):
                del self.changes[key]
        for key in dead:
            del harvest.dead[key]
        self.dead.difference_update(dead)
        self._changes -= len(changes)
        return len(hits) + len(changes) + len(dead)

    def drop_all(self, harvest: Harvest) -> int:
        """No row of a harvest needs to wait any longer; how many they were."""
        return self.drop(harvest, list(harvest.hits), list(harvest.changes), list(harvest.dead))

    def withdraw(self) -> None:
        """What was recovered waits no longer: it was judged by what was known of the topic then."""
        if (harvest := self.recovered) is not None:
            self.drop_all(harvest)
            self._remove(harvest)

    def was_told(self, harvest: Harvest, key: str) -> None:
        """A hit that was new to this harvest was told by another: if it reads otherwise here, it is a change."""
        harvest.changes[key] = self.hits.pop(key)
        del harvest.hits[key]
        self._changes += 1

    def list_changes(self) -> None:
        """Find the last versions again, after some were dropped or became changes."""
        self.changes.clear()
        for harvest in self._queue:
            self.changes |= harvest.changes

    def portions(self, room: int) -> Iterator[Portion]:
        """The oldest harvests, up to `room` rows; one that does not fit whole is cut and ends the row of them."""
        for harvest in self._queue:
            ids, hits = list(harvest.hits)[:room], list(harvest.hits.values())[:room]
            changes = list(harvest.changes.values())[: room - len(hits)]
            dead = list(harvest.dead.values())[: room - len(hits) - len(changes)]
            last = len(hits) + len(changes) + len(dead) == harvest.rows
            portion = Portion(harvest, ids, hits, changes, dead, last)
            yield portion
            room -= portion.rows
            if not portion.last:
                return

    def settle(self, portion: Portion, recovery: Recovery | None = None) -> None:
        """What the portion carried is on Kafka; `recovery` is its harvest's, with what it carried counted."""
        if portion.harvest not in self._queue:
            return  # a later one took its place while it was committed, or all was let go
        changes, dead = [hit["conn_id"] for hit in portion.changes], [row.key for row in portion.dead]
        self.drop(portion.harvest, portion.ids, changes, dead)
        if portion.last:
            self._remove(portion.harvest)
        elif portion.harvest.recovery is not None:
            portion.harvest.recovery = recovery

    def _remove(self, harvest: Harvest) -> None:
        self._queue.remove(harvest)
        self.recovered = None if harvest is self.recovered else self.recovered

    def harvests(self) -> Iterator[Harvest]:
        """All that wait, oldest first."""
        return iter(self._queue)
