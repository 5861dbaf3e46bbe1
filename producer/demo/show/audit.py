"""The audit of a demo: what the API showed against what is on the topics (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from producer.model import Gap


class Unseen(Protocol):
    """A hit that left the report without having been in any answer; moments in Unix seconds."""

    @property
    def conn_id(self) -> str: ...
    @property
    def occurred_at(self) -> float: ...
    @property
    def visible_at(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The verdict: counts, and the ids of what is wrong."""

    shown: int
    events: int
    duplicates: tuple[str, ...]
    """An id for each event too many."""
    missing: tuple[str, ...]
    """Shown by the API, and no event."""
    strangers: tuple[str, ...]
    """An event, and never shown by the API."""
    changes: int
    """Events of hits that changed."""
    misquoted: tuple[str, ...]
    """Their events don't say what the API showed of them, in its order, each once and to the last."""
    gaps: tuple[Gap, ...]
    never_shown: int
    lost: tuple[str, ...]
    """Never shown, and no event: of a gap that has not healed."""
    unexplained: tuple[str, ...]
    """Of the lost, those in no gap that was told."""

    @property
    def holds(self) -> bool:
        """Whether each hit, shown or not, is exactly one event, and its changes are told."""
        return not (self.duplicates or self.missing or self.strangers or self.misquoted or self.lost)

    @property
    def line(self) -> str:
        """Everything in one line."""
        strangers = f", events never shown by the API {len(self.strangers)}" if self.strangers else ""
        return (
            f"hits shown by the API {self.shown}, events on the topic {self.events}, "
            f"duplicates {len(self.duplicates)}, missing {len(self.missing)}{strangers}, "
            f"changes told {self.changes}, hits misquoted {len(self.misquoted)}, "
            f"coverage gaps told {len(self.gaps)}, hits never shown {self.never_shown}, "
            f"of them still in gaps {len(self.lost)}"
        )


def audit(
    *,
    shown: Collection[str],
    events: Sequence[str],
    gaps: Sequence[Gap],
    never_shown: Sequence[Unseen],
    said: Mapping[str, Sequence[str]],
    words: Mapping[str, Sequence[str]],
) -> Audit:
    """Compare: `shown` and `events` are conn_ids of one server, each event of the topic counting.

    `said` is what the API showed of the rows that may change, by conn_id and in its order, `words` the same of all
    events.
    """
    counts = Counter(events)
    lost = [hit for hit in never_shown if hit.conn_id not in counts]
    return Audit(
        shown=len(shown),
        events=len(events),
        duplicates=tuple((counts - Counter(counts.keys())).elements()),
        missing=tuple(sorted(set(shown) - counts.keys())),
        strangers=tuple(sorted(counts.keys() - set(shown) - {hit.conn_id for hit in never_shown})),
        changes=sum(len(told) - 1 for told in words.values()),
        misquoted=tuple(sorted(one for one, told in words.items() if not _quotes(told, said.get(one, told[:1])))),
        gaps=tuple(gaps),
        never_shown=len(never_shown),
        lost=tuple(hit.conn_id for hit in lost),
        unexplained=tuple(hit.conn_id for hit in lost if not any(_explains(gap, hit) for gap in gaps)),
    )


def in_order(told: Sequence[str], said: Sequence[str]) -> bool:
    """Whether each word that is told was said, in that order, and is another than the one before.

    What was said between two of them may be left out: it was shown to a process that died with it.
    """
    rest = iter(said)
    return all(word in rest for word in told) and all(one != other for one, other in pairwise(told))


def _quotes(told: Sequence[str], said: Sequence[str]) -> bool:
    return in_order(told, said) and list(told[-1:]) == list(said[-1:])


def _explains(gap: Gap, hit: Unseen) -> bool:
    # A late row is in the report only some time after its call: any of that time inside the gap explains it.
    return hit.occurred_at <= gap.end and hit.visible_at >= gap.start
