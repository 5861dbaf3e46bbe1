"""What was found, by the one way that rows go, and which of it is to be told (pure)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from producer.clock import Moment, parse_rfc3339
from producer.core.ports import Reader
from producer.model import DeadRow, Hit, Method, Snapshot, ToldSince


@dataclass(frozen=True, slots=True)
class Found:
    """Hits and dead rows by their ids, when they were read, and what else there was."""

    method: Method
    at: Moment
    hits: Mapping[str, Hit] = field(repr=False)
    dead: Mapping[str, DeadRow] = field(repr=False)
    repeated: int = 0
    summaries: int = 0
    unmarked: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """The hits of one finding, by what the hits topic says of them."""

    new: Mapping[str, Hit] = field(repr=False)
    told: Collection[str] = field(repr=False)
    unknown: Mapping[str, Hit] = field(repr=False)
    """Older than the topic reaches back: whether they were told nobody knows."""


def read_rows(snapshot: Snapshot, reader: Reader, *, method: Method) -> Found:
    """The hits and dead rows among a snapshot's rows."""
    rows = reader.identify(snapshot, known=frozenset())
    reading = reader.read(rows.hits, snapshot)
    return Found(
        method=method,
        at=snapshot.received,
        hits=reading.hits,
        dead=rows.dead | reading.dead,
        repeated=rows.repeated,
        summaries=rows.summaries,
        unmarked=rows.unmarked + len(reading.unmarked),
    )


def judged(hits: Mapping[str, Hit], past: ToldSince, *, accept_unknown: bool) -> Judged:
    """Which of them the topic has, and which are to be told; `accept_unknown` tells also what it can't know."""
    told = past.ids & hits.keys()
    rest = {key: hit for key, hit in hits.items() if key not in told}
    if accept_unknown or past.begins is None:
        return Judged(rest, told, {})
    unknown = {key: hit for key, hit in rest.items() if moment_of(hit) < past.begins}
    return Judged({key: hit for key, hit in rest.items() if key not in unknown}, told, unknown)


def moment_of(hit: Hit) -> float:
    """When it occurred, in Unix seconds; 0 if nobody knows."""
    occurred = hit["occurred_at"]
    return 0.0 if occurred is None else parse_rfc3339(occurred)
