"""What must hold: while a world lives, commit by commit, and at its end, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import orjson

from producer.clock import parse_rfc3339
from producer.model import REPORT_REACH, Outgoing, Topic
from tests.simulation.conditions import now
from tests.simulation.plan import KEEP, Kind
from tests.simulation.truth import Fact
from tests.simulation.watch import Watch, WatchedSource
from tests.twins.manual_clock import WALL
from tests.twins.memory_kafka import Record

if TYPE_CHECKING:
    from tests.simulation.instance import Instance
    from tests.simulation.world import World

SLACK = 5.0
"""Seconds by which the instances' clocks may differ from the world's, and from each other."""


class Ledger:
    """The committed records of a world, as they come."""

    def __init__(self) -> None:
        self.told: dict[str, float] = {}
        """Name of a row to when it was committed."""
        self.gaps: dict[str, list[tuple[float, float]]] = {}
        self.first_cursor: dict[str, float] = {}
        self.last_cursor: dict[str, float] = {}
        self.cursor_told_at: dict[str, float] = {}
        self._gap_ids: set[bytes] = set()

    def add(self, records: Sequence[Outgoing], *, at: float) -> list[str]:
        """Take the records of a transaction; what is wrong with it."""
        return list(self._add(records, at))

    def _add(self, records: Sequence[Outgoing], at: float) -> Iterator[str]:
        said = sum(len(names_of(record)) for record in records if record.topic is Topic.LEDGER)
        for record in records:
            if record.topic is Topic.COVERAGE:
                yield from self._gap(record)
            elif record.topic is Topic.LEDGER:
                self._cursor(record, at)
            else:
                yield from self._row(record, at)
        rows = sum(record.topic in (Topic.HITS, Topic.DEAD_LETTER) for record in records)
        if rows != said:
            yield f"a transaction has {rows} rows and the ledger's word on {said}"

    def _row(self, record: Outgoing, at: float) -> Iterator[str]:
        name = record.key.decode()
        if record.topic is Topic.DEAD_LETTER:
            name = orjson.loads(record.value or b"")["row"]["hit"]
        if name in self.told:
            yield f"{name} was told at {self.told[name]:.1f} and again at {at:.1f}"
        self.told[name] = at

    def _gap(self, record: Outgoing) -> Iterator[str]:
        identity = dict(record.headers)["ce_id"]
        if identity in self._gap_ids:
            yield f"gap {identity.decode()} was told twice"
        self._gap_ids.add(identity)
        value = orjson.loads(record.value or b"")
        gap = (parse_rfc3339(value["from"]) - WALL, parse_rfc3339(value["to"]) - WALL)
        self.gaps.setdefault(value["server"], []).append(gap)

    def _cursor(self, record: Outgoing, at: float) -> None:
        kind, _, server = record.key.decode().partition("/")
        if kind == "cursor":
            requested = parse_rfc3339(orjson.loads(record.value or b"")["requested_at"]) - WALL
            self.first_cursor.setdefault(server, requested)
            self.last_cursor[server] = requested
            self.cursor_told_at[server] = at


def names_of(record: Outgoing | Record) -> list[str]:
    """What a record of the ledger tells, each as `{kind}/{server}/{id}`; none for a cursor, an owner, a tombstone."""
    kind, _, rest = (record.key or b"").decode().partition("/")
    if kind not in ("told", "dead") or record.value is None:
        return []
    return [f"{kind}/{rest.partition('/')[0]}/{name}" for name in orjson.loads(record.value)["ids"]]


def findings(world: World) -> list[str]:
    """Everything that is wrong at the end of a world."""
    return [*_missing(world), *_sums(world)]


def disagreements(world: World) -> list[str]:
    """Where an owner's memory is not what the ledger says, and who remembers what is another's to remember."""
    last = {record.key: record for record in world.kafka.committed(Topic.LEDGER)}
    fold = {name for record in last.values() for name in names_of(record)}
    return [text for one in world.places if one is not None for text in _of_instance(one, fold)]


def overdue(world: World) -> list[str]:
    """What an owner still remembers although it left the report so long ago that it can't come back."""
    longest = REPORT_REACH + KEEP + world.plan.interval + _slack(world)
    return [
        f"{one.process.name} remembers {key}, told {now() - told:.0f} s ago"
        for one in world.places
        if one is not None
        for source in one.sources.values()
        for key in source.hits
        if now() - (told := world.ledger.told.get(key, now())) > longest
    ]


def _of_instance(one: Instance, fold: set[str]) -> Iterator[str]:
    for server, source in one.sources.items():
        memory = {f"told/{server}/{key}" for key in source.hits} | {f"dead/{server}/{key}" for key in source.dead}
        if not source.held and memory:
            yield f"{one.process.name} remembers {len(memory)} ids of {server}, which it does not hold"
        told = {key for key in fold if key.split("/")[1] == server}
        if source.held and (odd := memory ^ told):
            yield f"{one.process.name} and the ledger differ on {len(odd)} ids: {min(odd)}"


def _missing(world: World) -> Iterator[str]:
    """Rows that are neither on a topic nor explained."""
    if world.plan.clocks_are_set and len(world.all) > 1:
        return  # a cursor of another's wall clock says nothing sure about what was covered: only repetition is judged
    superseded = {name for one in world.all for source in one.sources.values() for name in _superseded(source)}
    slack = _slack(world)
    for server, stream in world.supplies.streams.items():
        since = world.ledger.first_cursor.get(server)
        for fact in stream.facts:
            if fact.name in world.ledger.told or fact.name in superseded:
                continue
            if since is None or fact.gone <= since + SLACK or fact.visible >= world.ledger.last_cursor[server] - slack:
                continue
            if not _explained(world, fact, slack):
                shown = "shown" if fact.name in world.supplies.archives[server].shown else "never shown"
                yield f"{fact.name} ({shown}; visible {fact.visible:.1f} to {fact.gone:.1f}) is nowhere"


def _slack(world: World) -> float:
    """By how much a time of the ledger may be wrong, where clocks are set."""
    return SLACK + sum(abs(float(one.detail)) for one in world.plan.troubles if one.kind is Kind.STEP)


def _explained(world: World, fact: Fact, slack: float) -> bool:
    gaps = world.ledger.gaps.get(fact.server, [])
    if any(start - slack <= fact.visible <= end + slack for start, end in gaps):
        return True
    # Known limits: what the API keeps back nobody can see, and a snapshot that lacked it was believed and covers the
    # time (also if a process saw the row later and died with it); a late row can leave before an older one that proves
    # that two snapshots overlap.
    lied = any(fact.visible <= lie <= fact.gone for lie in world.supplies.archives[fact.server].lies)
    return lied or fact.late


def _superseded(source: object) -> set[str]:
    assert isinstance(source, WatchedSource)
    return source.superseded


def _sums(world: World) -> Iterator[str]:
    for one in world.all:
        assert isinstance(one.observer, Watch)
        for server, count in one.observer.counts.items():
            waiting = len(one.sources[server].pending)
            if count.taken != count.told + count.dropped + waiting:
                yield f"{one.process.name}, {server}: {count} and {waiting} waiting do not add up"
