"""What one snapshot brought that is to be told, and the part of it that fits into a transaction (pure)."""

from __future__ import annotations

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

    def only(self, *, hits: dict[str, Hit], changes: dict[str, Hit], dead: dict[str, DeadRow]) -> Harvest:
        """Only these of the snapshot; they vouch for no time."""
        return Harvest(
            requested=self.requested,
            received=self.received,
            observed_at=self.observed_at,
            hits=hits,
            changes=changes,
            dead=dead,
            gaps=[],
            cursor=None,
        )

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
