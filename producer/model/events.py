"""What goes out: hits and their changes, gaps in what was covered, and the topics that they go to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, NotRequired, TypedDict


class Hit(TypedDict):
    """One achievement closed by an agent: exactly the value of its event, `schemas/hit/1.0.0.json`.

    The six fields of the API are as sent (a JSON number as its own digits; absent or null is None). `occurred_at` is
    the moment that `date` names: of a chat that of its opening, which may be a day before it was closed as a hit.
    """

    conn_id: str
    type_interaction: str | None
    date: str | None
    telephone: str | None
    customer_id: str | None
    hit: str | None
    server: str
    occurred_at: str | None
    observed_at: str
    extra: NotRequired[dict[str, Any]]


class HitChanged(Hit):
    """A hit that was told and reads otherwise now: the value of its event, `schemas/hit_changed/1.0.0.json`.

    `observed_at` is that of the snapshot that showed the change, `first_observed_at` that of the event on the hits
    topic.
    """

    first_observed_at: str


API_FIELDS = ("conn_id", "type_interaction", "date", "telephone", "customer_id", "hit")
"""The fields of a row that the vendor's page names; all others go to `extra`."""


class GapKind(StrEnum):
    """Why time was not covered."""

    UNPOLLED = "unpolled"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True)
class Gap:
    """Time that no snapshot covered, in Unix seconds; `certain` if it would be one under a window of an hour too."""

    server: str
    start: float
    end: float
    kind: GapKind
    certain: bool


class Method(StrEnum):
    """Where hits came from that no live report showed: the header `wolkvox_recovered` of their events."""

    HISTORY = "history"
    FILE = "file"
    DEAD_LETTER = "dead-letter"


@dataclass(frozen=True, slots=True)
class GapRecovered:
    """What became of a gap: `found` hits of its time, of which so many are told now and so many were told before.

    The rest of them are dead letters. `start` is the gap's own, and its identity.
    """

    server: str
    start: float
    end: float
    method: Method
    found: int
    published: int
    already_told: int


class Topic(StrEnum):
    """The topics by role; the value is what follows KAFKA_TOPIC in the name."""

    HITS = ""
    CHANGES = ".changes"
    DEAD_LETTER = ".dead-letter"
    COVERAGE = ".coverage"
    LEDGER = ".ledger"


Header = tuple[str, bytes]


class Outgoing(NamedTuple):
    """One record on its way to Kafka; a `value` of None is a tombstone."""

    topic: Topic
    key: bytes
    value: bytes | None
    headers: list[Header]


class Series(NamedTuple):
    """Many records of one topic, by columns: one from the next differs in its key, its value and what the key makes.

    `headers` are the same for all; `keyed` come after them, each with its value before the record's key.
    """

    topic: Topic
    keys: list[bytes]
    values: list[bytes]
    headers: list[Header]
    keyed: list[Header]

    def records(self) -> Iterator[Outgoing]:
        """Each by itself."""
        for key, value in zip(self.keys, self.values, strict=True):
            own = ((name, before + key) for name, before in self.keyed)
            yield Outgoing(self.topic, key, value, [*self.headers, *own])


def each(records: Iterable[Outgoing | Series]) -> Iterator[Outgoing]:
    """Every record by itself, those of a series too."""
    for one in records:
        if isinstance(one, Series):
            yield from one.records()
        else:
            yield one
