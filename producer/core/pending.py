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
        """Hits and dead rows in it; often none, and then it still has its cursor."""
        return len(self.hits) + len(self.dead)

    @property
    def is_quiet(self) -> bool:
        """Whether all it has to tell is its cursor."""
        return not (self.hits or self.dead or self.gaps)


@dataclass(frozen=True, slots=True)
class Portion:
    """The part of a harvest that goes into one transaction; `last` if nothing of it stays behind."""

    harvest: Harvest
    ids: list[str]
    hits: list[Hit] = field(repr=False)
    dead: list[DeadRow] = field(repr=False)
    last: bool

    @property
    def rows(self) -> int:
        """Hits and dead rows in it."""
        return len(self.hits) + len(self.dead)


class Pending:
    """The queue of one source's harvests, with their ids for a quick look."""

    def __init__(self) -> None:
        self._queue: deque[Harvest] = deque()
        self.hits: set[str] = set()
        self.dead: set[str] = set()

    def __len__(self) -> int:
        """Rows that wait."""
        return len(self.hits) + len(self.dead)

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
        self.hits |= harvest.hits.keys()
        self.dead |= harvest.dead.keys()

    def drop(self, harvest: Harvest, hits: Collection[str], dead: Collection[str]) -> int:
        """These rows of a harvest need to wait no longer; how many they were."""
        for key in hits:
            del harvest.hits[key]
        for key in dead:
            del harvest.dead[key]
        self.hits.difference_update(hits)
        self.dead.difference_update(dead)
        return len(hits) + len(dead)

    def portions(self, room: int) -> Iterator[Portion]:
        """The oldest harvests, up to `room` rows; one that does not fit whole is cut and ends the row of them."""
        for harvest in self._queue:
            ids, hits = list(harvest.hits)[:room], list(harvest.hits.values())[:room]
            dead = list(harvest.dead.values())[: room - len(hits)]
            portion = Portion(harvest, ids, hits, dead, len(hits) + len(dead) == harvest.rows)
            yield portion
            room -= portion.rows
            if not portion.last:
                return

    def settle(self, portion: Portion) -> None:
        """What the portion carried is on Kafka."""
        if portion.last:
            self.hits.difference_update(portion.ids)
            self.dead.difference_update(portion.harvest.dead)
            if portion.harvest in self._queue:  # else a later one took its place while it was committed
                self._queue.remove(portion.harvest)
        else:
            self.drop(portion.harvest, portion.ids, [row.key for row in portion.dead])

    def harvests(self) -> Iterator[Harvest]:
        """All that wait, oldest first."""
        return iter(self._queue)
