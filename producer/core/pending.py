"""What waits for Kafka: per snapshot what it brought, oldest first (pure).

Rows stay here until the transaction that carries them is committed, so a failed one loses nothing and a hit that left
the API's window meanwhile is published all the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from producer.clock import Moment
from producer.model import Cursor, DeadRow, Gap, GapKind, Hit


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
        return not (self.rows or self.gaps)


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
        self.hits |= harvest.hits
        self.changes |= harvest.changes
        self.dead |= harvest.dead.keys()
        self._changes += len(harvest.changes)

    def last(self, key: str) -> Hit | None:
        """The last version of a hit that waits."""
        return self.changes.get(key) or self.hits.get(key)

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

    def settle(self, portion: Portion) -> None:
        """What the portion carried is on Kafka."""
        if portion.harvest not in self._queue:
            return  # a later one took its place while it was committed, or all was let go
        changes, dead = [hit["conn_id"] for hit in portion.changes], [row.key for row in portion.dead]
        self.drop(portion.harvest, portion.ids, changes, dead)
        if portion.last:
            self._queue.remove(portion.harvest)

    def harvests(self) -> Iterator[Harvest]:
        """All that wait, oldest first."""
        return iter(self._queue)
