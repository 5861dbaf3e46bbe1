"""Whoever tells the demo to a person: on a live screen (screen.py) or as plain lines (lines.py)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from producer.demo.broker import Progress
from producer.demo.show.audit import Audit
from producer.demo.show.readback import HitLine


@dataclass(frozen=True, slots=True)
class Shown:
    """What an API that tells has shown so far, in hits."""

    hits: int
    missing: int
    """Of them, not yet on the topic."""
    unseen: int
    """Gone from the report without having been in an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything that is shown at one moment."""

    shown: Shown | None
    """None of a real API: it tells nobody what it showed."""
    events: int
    duplicates: int
    changes: int
    gaps: int
    service: str
    last: Sequence[HitLine]


class Narrator(Protocol):
    """Tells what happens as it happens."""

    def step(self, text: str) -> None:
        """A new step of the demo begins."""
        ...

    def say(self, *lines: str) -> None:
        """Something about the present step."""
        ...

    def fetched(self, progress: Progress) -> None:
        """So much of Kafka is here; called from other threads, one at a time."""
        ...

    def show(self, view: View) -> None:
        """How things stand; called a few times a second."""
        ...

    def close(self) -> None:
        """Nothing moves any more; what comes now is the end."""
        ...

    def verdict(self, audit: Audit) -> None:
        """What came out."""
        ...


def findings(audit: Audit) -> Iterator[str]:
    """What is wrong, a line for each kind, with a few ids of it."""
    kinds = {
        "more than one event": audit.duplicates,
        "shown by the API, no event": audit.missing,
        "an event, never shown by the API": audit.strangers,
        "events that say otherwise than the API": audit.misquoted,
        "never shown by the API, no event": audit.lost,
    }
    for kind, ids in kinds.items():
        if ids:
            yield f"{kind}: {', '.join(ids[:5])}{' ...' if len(ids) > 5 else ''}"


HOLDS = "Each hit is told exactly once, each change too: those that the API never showed came from its history."
FAILS = "The audit FAILS."
