"""What goes into a transaction of what one source has, and what of it the ledger then holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from producer.clock import Moment
from producer.core.harvest import Portion, Recovery
from producer.core.ledger import gap_key
from producer.model import Cursor, Entry, Gap, OpenGap, Version


@dataclass(frozen=True, slots=True)
class Taken:
    """What one source puts into one transaction, oldest snapshot first; a gap comes with its `observed_at`.

    `tombstones` are the keys of what is `forgotten`.
    """

    server: str
    portions: list[Portion]
    gaps: list[tuple[Gap, str]]
    cursor: Cursor | None
    cursor_at: Moment | None
    first_observed: Mapping[str, str]
    """Of each hit that changed, the `observed_at` of its event."""
    forgotten: list[Entry]
    tombstones: list[bytes]
    opened: Sequence[OpenGap] = ()
    """The gaps that wait to be healed from now on."""

    def healed(self) -> list[bytes]:
        """The keys of the gaps whose last recovered row goes with it."""
        last = (one.harvest.recovery for one in self.portions if one.last)
        return [gap_key(recovery.gap) for recovery in last if recovery is not None and recovery.gap is not None]

    @property
    def rows(self) -> int:
        """Hits, changes and dead letters in it."""
        return sum(portion.rows for portion in self.portions)


@dataclass(slots=True)
class Written:
    """What a transaction wrote into the ledger of one source, besides its cursor."""

    hits: list[Entry] = field(default_factory=list)
    dead: list[Entry] = field(default_factory=list)
    changed: dict[str, Version] = field(default_factory=dict)
    recovery: Recovery | None = None
    """That of the recovered harvest in it, with what was told of it counted."""
