"""What must hold: while a world lives, commit by commit, and at its end, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import orjson

from producer.clock import Moment, parse_rfc3339
from producer.core.fold import Fold
from producer.core.healer import EDGE
from producer.core.ledger import gap_record
from producer.core.window import Window
from producer.model import REPORT_REACH, Entry, OpenGap, Outgoing, Topic, Version
from tests.simulation.conditions import now
from tests.simulation.history import known_at
from tests.simulation.plan import KEEP, Kind
from tests.simulation.report import Archive
from tests.simulation.truth import Fact, Stream
from tests.simulation.watch import Watch, WatchedSource
from tests.twins.manual_clock import WALL

if TYPE_CHECKING:
    from tests.simulation.instance import Instance
    from tests.simulation.world import World

RECOVERED = ("wolkvox_recovered", b"history")
"""The header of a hit that no answer of the report showed."""
SLACK = 5.0
"""Seconds by which the instances' clocks may differ from the world's, and from each other."""


class Told(NamedTuple):
    """One event of a hit."""

    says: str
    observed_at: str
    first_observed_at: str


def _said(record: Outgoing) -> int:
    """Rows that a record of the ledger tells of; none in a cursor, an owner, a tombstone."""
    kind = record.key.partition(b"/")[0] if record.topic is Topic.LEDGER and record.value is not None else b""
    if kind == b"changed":
        return 1
    return len(orjson.loads(record.value or b"")["ids"]) if kind in (b"told", b"dead") else 0


def _told(record: Outgoing) -> Told:
    value = orjson.loads(record.value or b"")
    return Told(value["telephone"], value["observed_at"], value.get("first_observed_at", ""))


class Ledger:
    """The committed records of a world, as they come."""

    def __init__(self, archives: Mapping[str, Archive], streams: Mapping[str, Stream], *, judges_cursors: bool) -> None:
        self.told: dict[str, float] = {}
        """Name of a row to when it was committed."""
        self.gaps: dict[str, list[tuple[float, float]]] = {}
        self.first_cursor: dict[str, float] = {}
        self.last_cursor: dict[str, float] = {}
        self.cursor_told_at: dict[str, float] = {}
        self.versions: dict[str, list[Told]] = {}
        """What was told of each hit, one after the other."""
        self.recovered: dict[str, float] = {}
        """What no answer of the report showed when it was told, and when that was."""
        self.healed: dict[str, list[tuple[float, float, float]]] = {}
        """From when to when a healed gap was, and when that was told."""
        self.archives = archives
        self._facts = {fact.name: fact for stream in streams.values() for fact in stream.facts if not fact.dead}
        self.judges_cursors = judges_cursors
        self._gap_ids: set[bytes] = set()

    def add(self, records: Sequence[Outgoing], *, at: float) -> list[str]:
        """Take the records of a transaction; what is wrong with it."""
        return list(self._add(records, at))

    def _add(self, records: Sequence[Outgoing], at: float) -> Iterator[str]:
        said = sum(map(_said, records))
        for record in records:
            if record.topic is Topic.COVERAGE:
                yield from self._gap(record, at)
            elif record.topic is Topic.CHANGES:
                yield from self._change(record, at)
            elif record.topic is Topic.LEDGER:
                yield from self._cursor(record, at)
            else:
                yield from self._row(record, at)
        rows = sum(record.topic in (Topic.HITS, Topic.CHANGES, Topic.DEAD_LETTER) for record in records)
        if rows != said:
            yield f"a transaction has {rows} rows and the ledger's word on {said}"

    def _row(self, record: Outgoing, at: float) -> Iterator[str]:
        name = record.key.decode()
        if record.topic is Topic.DEAD_LETTER:
            name = orjson.loads(record.value or b"")["row"]["hit"]
        if name in self.told:
            yield f"{name} was told at {self.told[name]:.1f} and again at {at:.1f}"
        self.told[name] = at
        if record.topic is Topic.HITS:
            self.versions[name] = [one := _told(record)]
            yield from self._recovered(name, at) if RECOVERED in record.headers else self._never_said(name, one)

    def _change(self, record: Outgoing, at: float) -> Iterator[str]:
        name, one = record.key.decode(), _told(record)
        before = self.versions.setdefault(name, [])
        if name in self.recovered:
            yield f"{name} was recovered, and told at {at:.1f} as changed"
        elif not before:
            yield f"a change of {name} was told at {at:.1f}, and no hit before it"
        elif one.says == before[-1].says:
            yield f"{name} was told at {at:.1f} as it had been told before"
        elif one.first_observed_at != before[0].observed_at:
            yield f"{name} changed at {at:.1f} and says of itself another beginning than its own"
        elif self.judges_cursors and parse_rfc3339(one.observed_at) < parse_rfc3339(before[-1].observed_at) - SLACK:
            yield f"{name} was told at {at:.1f} as it was shown before what was told last"
        yield from self._never_said(name, one)
        before.append(one)

    def _never_said(self, name: str, one: Told) -> Iterator[str]:
        if (name, one.observed_at, one.says) not in self.archives[name.partition("-")[0]].said:
            yield f"{name} was told as it was never shown"

    def _gap(self, record: Outgoing, at: float) -> Iterator[str]:
        headers, value = dict(record.headers), orjson.loads(record.value or b"")
        identity = headers["ce_id"]
        if identity in self._gap_ids:
            yield f"gap {identity.decode()} was told twice"
        self._gap_ids.add(identity)
        start, end = parse_rfc3339(value["from"]) - WALL, parse_rfc3339(value["to"]) - WALL
        if headers["ce_type"] == b"wolkvox.coverage-gap":
            self.gaps.setdefault(value["server"], []).append((start, end))
            return
        self.healed.setdefault(value["server"], []).append((start, end, at))
        if value["found"] != value["published"] + value["already_told"]:
            yield f"the counts of {identity.decode()} do not add up"
        if (start, end) not in self.gaps.get(value["server"], []):
            yield f"{identity.decode()} speaks of a gap that was never told"

    def _recovered(self, name: str, at: float) -> Iterator[str]:
        """It happened, and in the time of a gap."""
        self.recovered[name] = at
        fact = self._facts.get(name)
        if fact is None:
            yield f"{name} was recovered, and never was"
            return
        gaps, slack = self.gaps.get(fact.server, []), EDGE + SLACK
        if self.judges_cursors and not any(start - slack <= fact.occurred <= end + slack for start, end in gaps):
            yield f"{name} was recovered, and is of no gap"

    def _cursor(self, record: Outgoing, at: float) -> Iterator[str]:
        kind, _, server = record.key.decode().partition("/")
        if kind == "cursor":
            requested_at = orjson.loads(record.value or b"")["requested_at"]
            requested = parse_rfc3339(requested_at) - WALL
            self.first_cursor.setdefault(server, requested)
            self.last_cursor[server] = requested
            self.cursor_told_at[server] = at
            yield from self._untold(server, requested_at)

    def _untold(self, server: str, requested_at: str) -> Iterator[str]:
        """A cursor goes with or after the last word of its snapshot: what it said of a hit is told, or a later word."""
        answer = self.archives[server].answers[requested_at]
        for name, says in answer.said.items() if self.judges_cursors else ():
            told = self.versions.get(name)
            if (
                told
                and name not in self.recovered
                and told[-1].says != says
                and told[-1].observed_at <= requested_at
                and not self._unaware(name, told, says, asked=answer.process)
            ):
                yield f"{name} said {says!r} in the answer to {requested_at}, and was last told as {told[-1].says!r}"

    def _unaware(self, name: str, told: Sequence[Told], says: str, *, asked: str) -> bool:
        """Whether nothing changed for an owner who did not know that another had told of a change meanwhile: he had
        seen the hit so before, or read so of it in the ledger."""
        said, last = self.archives[name.partition("-")[0]].said, told[-1]
        seen = (key for key, process in said.items() if process == asked and key[1] < last.observed_at)
        knew = any((one, what) == (name, says) for one, _, what in seen) or says in {one.says for one in told[:-1]}
        return knew and said[name, last.observed_at, last.says] != asked


def findings(world: World) -> list[str]:
    """Everything that is wrong at the end of a world."""
    return [*_missing(world), *_unhealed(world), *_sums(world)]


def disagreements(world: World) -> list[str]:
    """Where an owner's memory is not what the ledger says, and who remembers what is another's to remember."""
    fold = Fold()
    fold.apply((record.key, record.value) for record in world.kafka.committed(Topic.LEDGER))
    told = {server: _names(found.hits, found.dead, found.changed) for server, found in fold.sources().items()}
    for server, found in fold.sources().items():
        told[server] |= set(map(_waits, found.gaps))
    return [text for one in world.places if one is not None for text in _of_instance(one, told)]


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


def _names(hits: Iterable[Entry], dead: Iterable[Entry], changed: Mapping[str, Version]) -> set[str]:
    """What a ledger, or a memory, says: each id with the last version of it."""
    window = Window(keep=KEEP)
    window.restore(hits, lambda _: Moment(0, 0), changed)
    told = {f"{key} as {window.version(key)}" for key in window}
    return told | {f"{name} (dead)" for entry in dead for name in entry.ids}


def _waits(one: OpenGap) -> str:
    """A gap that waits to be healed, in the ledger's words."""
    return str(gap_record(one)[:3])


def _of_instance(one: Instance, told_of: Mapping[str, set[str]]) -> Iterator[str]:
    for server, source in one.sources.items():
        memory = {f"{key} as {source.hits.version(key)}" for key in source.hits}
        memory |= {f"{key} (dead)" for key in source.dead} | set(map(_waits, source.healing.open))
        if not source.held and memory:
            yield f"{one.process.name} remembers {len(memory)} ids of {server}, which it does not hold"
        told = told_of.get(server, set[str]())
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


def _unhealed(world: World) -> Iterator[str]:
    """Hits of a healed gap that the history had by then, and that are nowhere all the same."""
    if world.plan.clocks_are_set:
        return
    for server, stream in world.supplies.streams.items():
        for fact in stream.facts:
            if fact.dead or fact.name in world.ledger.told:
                continue
            for start, end, at in world.ledger.healed.get(server, []):
                asked = at - 10 * world.plan.timeout  # it is told some time after the history was asked
                if start <= fact.occurred <= end and known_at(fact, world.plan.history) < asked:
                    yield f"{fact.name} is nowhere, and its gap from {start:.1f} to {end:.1f} is healed"


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
            pending = one.sources[server].pending
            waiting = len(pending) - (pending.recovered.rows if pending.recovered else 0)
            if count.taken != count.told + count.dropped + waiting:
                yield f"{one.process.name}, {server}: {count} and {waiting} waiting do not add up"
