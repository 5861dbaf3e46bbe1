"""What must hold at the end, judged from what the API showed and what an independent client reads (pure)."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from producer.clock import parse_rfc3339
from producer.demo.show.audit import Audit as OfServer
from producer.demo.show.audit import audit as compared
from producer.demo.show.audit import in_order
from producer.demo.simulator.callcentre import SimulatedHit, versions
from producer.model import Gap, GapKind
from tests.integration.service.audit import Audit, Record

FORGETFUL = 60.0
"""Seconds of a report's reach below which an outage can be longer than it."""
SLACK = 1.0
"""Seconds between a request and the answer's making."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What one server's API did: ids that were in whole answers, hits that never were, and all hits by id."""

    shown: frozenset[str]
    never_shown: Sequence[SimulatedHit]
    hits: Mapping[str, SimulatedHit]
    window: float
    """Seconds that a hit stays in the report."""
    said: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What the rows that may change said, by id, as whole answers showed them."""

    @property
    def forgetful(self) -> bool:
        """Whether hits may leave the report during an outage: what died with a process must then lie in a told gap."""
        return self.window < FORGETFUL

    def within(self, conn_id: str, since: float) -> bool:
        """Whether the hit was still in the report at `since`: nobody promises anything of the time before."""
        return conn_id not in self.hits or self.hits[conn_id].occurred_at + self.window > since


@dataclass(slots=True)
class Verdict:
    """The figures, and in words what is wrong."""

    shown: int = 0
    events: int = 0
    changes: int = 0
    duplicates: int = 0
    missing: int = 0
    gaps: int = 0
    healed: int = 0
    """Gaps whose hits the history brought, and told so."""
    never_shown: int = 0
    recovered: int = 0
    """Events that came from the history."""
    unexplained: int = 0
    late: int = 0
    """Came late into the report and left it between two snapshots that overlap: the one thing that no gap tells."""
    died: int = 0
    """Shown to a process that died with them after they had left the report; each in a told gap."""
    wrong: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        return (
            f"hits shown {self.shown:,}, events {self.events:,}, changes {self.changes:,}, "
            f"duplicates {self.duplicates}, missing {self.missing}, gaps told {self.gaps}, healed {self.healed}, "
            f"hits recovered {self.recovered}, "
            f"never shown {self.never_shown}, of them outside every gap {self.unexplained}, "
            f"died with a process inside a gap {self.died}, "
            f"came late and left between snapshots that overlap {self.late}"
        )


def verdict(found: Audit, servers: Mapping[str, Shown], *, forgets: bool = False) -> Verdict:
    """Everything together; `wrong` is empty if every promise was kept. `forgets`: ids are old enough for that."""
    healed = [record for record in found.gaps if _is_healed(record)]
    total = Verdict(events=len(found.hits), changes=len(found.changes), healed=len(healed))
    total.recovered = sum(map(_is_recovered, found.hits))
    for server, shown in servers.items():
        cursors = _cursors(found, server)
        _add(total, _of_server(found, server, shown, cursors), server, shown, _snapshots(found, server, cursors))
        total.wrong += _misquoted(found, server, shown, cursors)
        total.wrong += _healing(found, server, shown)
    total.wrong += _told_twice("event", found.hits)
    total.wrong += _told_twice("change", found.changes)
    total.wrong += _told_twice("dead letter", found.dead_letters)
    total.wrong += _told_twice("gap", found.gaps)
    total.wrong += [] if forgets else _disagreements(found)
    return total


def _add(total: Verdict, one: OfServer, server: str, shown: Shown, snapshots: Sequence[float]) -> None:
    late = {conn_id for conn_id in (*one.missing, *one.unexplained) if _came_late(shown, conn_id, snapshots)}
    died = {
        conn_id for conn_id in one.missing if shown.forgetful and _explained(one.gaps, shown.hits.get(conn_id))
    } - late
    lost = [conn_id for conn_id in one.missing if conn_id not in died | late]
    unexplained = [conn_id for conn_id in one.unexplained if conn_id not in late]
    total.shown += one.shown
    total.duplicates += len(one.duplicates)
    total.missing += len(lost)
    total.died += len(died)
    total.late += len(late)
    total.gaps += len(one.gaps)
    total.never_shown += one.never_shown
    total.unexplained += len(unexplained)
    total.wrong += [f"{server}/{conn_id} was shown, and is no event" for conn_id in lost]
    total.wrong += [f"{server}/{conn_id} was never shown, and lies in no told gap" for conn_id in unexplained]
    total.wrong += [f"{server}/{conn_id} is an event, and was never shown" for conn_id in one.strangers]


def _of_server(found: Audit, server: str, shown: Shown, cursors: Sequence[float]) -> OfServer:
    """But for what the history brought, which is judged apart."""
    brought = _brought(found, server)
    events = [record.key for record in found.hits if _server(record) == server and not _is_recovered(record)]
    gaps = [_gap(record) for record in found.gaps if record.key == server and not _is_healed(record)]
    began = cursors[0] if cursors else 0.0  # with it the service's time begins
    due = {conn_id for conn_id in shown.shown if shown.within(conn_id, began)} | shown.shown.intersection(events)
    # What left the report while the first answer was made was in none that anybody could have asked for.
    unseen = [hit for hit in shown.never_shown if shown.within(hit.conn_id, began + SLACK)]
    never = [hit for hit in unseen if hit.conn_id not in brought and hit.conn_id not in events]
    return compared(shown=due - brought, events=events, gaps=gaps, never_shown=never, said={}, words={})


def _healing(found: Audit, server: str, shown: Shown) -> Iterator[str]:
    """What the history brought and never happened; what happened in a gap that was told as healed, and is no event."""
    yield from (
        f"{server}/{one} is an event, and never happened" for one in _brought(found, server) - shown.hits.keys()
    )
    told = {record.key for record in found.hits if _server(record) == server}
    for record in found.gaps:
        if record.key == server and _is_healed(record):
            start, end = (parse_rfc3339(record.json[name]) for name in ("from", "to"))
            for conn_id, hit in shown.hits.items():
                if conn_id not in told and start <= hit.occurred_at <= end and not hit.is_chat:
                    yield f"{server}/{conn_id} lies in a gap that is told as healed, and is no event"


def _brought(found: Audit, server: str) -> set[str]:
    return {record.key for record in found.hits if _server(record) == server and _is_recovered(record)}


def _is_healed(record: Record) -> bool:
    return record.headers.get("ce_type") == b"wolkvox.gap-recovered"


def _is_recovered(record: Record) -> bool:
    return "wolkvox_recovered" in record.headers


def _misquoted(found: Audit, server: str, shown: Shown, cursors: Sequence[float]) -> Iterator[str]:
    """Events that say what the API did not, or in another order; words of committed snapshots that no event says."""
    words: dict[str, list[str]] = {}
    brought = _brought(found, server)  # in the history's words, which nobody compares
    for record in (*found.hits, *found.changes):
        if _server(record) == server and record.key not in brought:
            words.setdefault(record.key, []).append(record.json.get("hit") or "")
    for conn_id, told in words.items():
        said = shown.said.get(conn_id, told[:1])
        if not in_order(told, said):
            yield f"{server}/{conn_id} says {told}, and the API showed {list(said)}"
        elif untold := [word for word in _heard(shown, conn_id, cursors) if word not in told]:
            yield f"{server}/{conn_id} never says {untold}, which a committed snapshot had"


def _heard(shown: Shown, conn_id: str, cursors: Sequence[float]) -> Iterator[str]:
    """What a row that may change said while a snapshot was made that was then committed."""
    hit = shown.hits.get(conn_id)
    if hit is None or conn_id not in shown.said:
        return
    rows = versions(hit)
    ends = [since for since, _ in rows[1:]] + [hit.occurred_at + shown.window]
    for (since, row), end in zip(rows, ends, strict=True):
        first = bisect_left(cursors, since)
        # On a busy machine an answer is made seconds after it was asked for: what none had was not there to be told.
        in_an_answer = row["hit"] in shown.said[conn_id]
        if in_an_answer and first < len(cursors) and cursors[first] + SLACK < end:
            yield row["hit"]


def _cursors(found: Audit, server: str) -> Sequence[float]:
    """Unix seconds of the requests that were committed, the earliest first."""
    key = f"cursor/{server}"
    cursors = (record.json for record in found.ledger if record.key == key and record.value is not None)
    return sorted(parse_rfc3339(cursor["requested_at"]) for cursor in cursors)


def _snapshots(found: Audit, server: str, cursors: Sequence[float]) -> Sequence[float]:
    """When those were made that are known to be committed: of several that waited only the last one's cursor was, but
    each that had something new is in its events."""
    records = (record for record in (*found.hits, *found.changes) if not _is_recovered(record))
    observed = {record.json["observed_at"] for record in records if _server(record) == server}
    return sorted({*cursors, *map(parse_rfc3339, observed)})


def _came_late(shown: Shown, conn_id: str, snapshots: Sequence[float]) -> bool:
    """Whether a hit that came late into the report was in it only between two snapshots that do overlap."""
    hit = shown.hits.get(conn_id)
    if hit is None or hit.visible_at <= hit.occurred_at:
        return False
    gone = hit.occurred_at + shown.window
    return any(
        one < hit.visible_at and gone < two + SLACK and two - one < shown.window for one, two in pairwise(snapshots)
    )


def _server(record: Record) -> str:
    return record.headers["ce_id"].decode().partition("/")[0]


def _gap(record: Record) -> Gap:
    value = record.json
    start, end = parse_rfc3339(value["from"]), parse_rfc3339(value["to"])
    return Gap(value["server"], start, end, GapKind(value["kind"]), value["certain"])


def _explained(gaps: Sequence[Gap], hit: SimulatedHit | None) -> bool:
    return hit is not None and any(hit.occurred_at <= gap.end and hit.visible_at >= gap.start for gap in gaps)


def _told_twice(what: str, records: Sequence[Record]) -> Iterator[str]:
    for identity, times in Counter(record.headers["ce_id"].decode() for record in records).items():
        if times > 1:
            yield f"{what} {identity} is there {times} times"


def _disagreements(found: Audit) -> Iterator[str]:
    """The ledger remembers exactly what is on the topics, as long as nothing is old enough to be forgotten."""
    remembered = found.told("told/", "dead/")
    told = {record.headers["ce_id"].decode() for record in (*found.hits, *found.dead_letters)}
    yield from (f"{identity} is on a topic, and the ledger lacks it" for identity in sorted(told - remembered))
    yield from (f"{identity} is in the ledger, and on no topic" for identity in sorted(remembered - told))
