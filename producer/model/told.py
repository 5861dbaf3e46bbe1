"""What the ledger keeps of what was told, and what need not be told any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from producer.model.events import Gap


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a source was covered: what the ledger keeps of its last committed snapshot, in Unix seconds.

    `requested` is when that snapshot's request began; `observed` when the last snapshot with new ids was received
    (those ids carry it), None if there was none yet.
    """

    requested: float
    observed: float | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reading of a ledger is: the ids found so far, and the share of its offsets, 0 to 1."""

    ids: int
    share: float


@dataclass(slots=True)
class Dropped:
    """Rows that left pending at a take without a record of their own."""

    confirmed: int = 0
    """The ledger has them, from a commit of ours whose outcome was unknown."""
    confirmed_dead: int = 0
    """Those of the confirmed that are dead letters."""
    confirmed_changed: int = 0
    """Those of the confirmed that are changes."""
    duplicate: int = 0
    """The ledger has them from another owner."""
    superseded: int = 0
    """Another owner came so much further that it may have told and forgotten them."""
    elsewhere: int = 0
    """Another instance polls the source, and the room was needed."""
    gaps: list[Gap] = field(default_factory=list)
    """Coverage gaps that the ledger has passed, told by a commit of ours whose outcome was unknown."""


@dataclass(frozen=True, slots=True)
class OpenGap:
    """A gap that was told and waits to be healed; `observed_at` is that of the snapshot that revealed it."""

    gap: Gap
    observed_at: str


@dataclass(frozen=True, slots=True)
class ToldSince:
    """The ids that the hits topic has from some moment on, of one server.

    `begins` is the moment, in Unix seconds, from which on the topic is whole: what was told earlier was deleted by its
    retention. None if nothing ever was.
    """

    ids: AbstractSet[str] = field(repr=False)
    begins: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One record of the ledger: ids that one transaction told of one snapshot, and each one's digest, end to end.

    They leave the window together, so that what memory holds is what the ledger says, id by id.
    """

    key: bytes
    observed_at: str
    ids: Sequence[str]
    digests: bytes = b""


class Version(NamedTuple):
    """What was told of a hit: its digest, and the `observed_at` of the snapshot that showed it so."""

    digest: bytes
    observed_at: str


@dataclass(frozen=True, slots=True)
class SourceFold:
    """What the ledger says of one source: what is told, in the order told, what changed since, how far it was covered,
    and which gaps wait to be healed."""

    hits: Sequence[Entry] = ()
    dead: Sequence[Entry] = ()
    changed: Mapping[str, Version] = field(default_factory=dict)
    cursor: Cursor | None = None
    gaps: Sequence[OpenGap] = ()
    by_id: dict[str, Entry] | None = None
    """The entry of each id of `hits`, if whoever read them has looked already; whoever restores them takes it over."""
