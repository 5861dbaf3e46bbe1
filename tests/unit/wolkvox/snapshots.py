"""Snapshots made of bytes, as the client makes them."""

from __future__ import annotations

import json
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from producer.events import Events
from producer.model import DeadRow, Hit, Reading, Rows, Snapshot
from producer.wolkvox.envelope import read_report
from producer.wolkvox.masking import shown
from producer.wolkvox.reading import RowsOfSnapshot
from producer.wolkvox.recall import Recall
from producer.wolkvox.rows import identify
from tests.unit.wolkvox.calls import TOKEN, answer

BOGOTA = ZoneInfo("America/Bogota")
OBSERVED = "2026-01-19T01:13:32.000000Z"


def snapshot_of(body: bytes, recall: Recall | None = None) -> Snapshot:
    """The snapshot in the body of a 200."""
    sent = answer(body)
    report = read_report(sent, partial(shown, secret=TOKEN), recall)
    return Snapshot(
        "0042",
        sent.requested,
        sent.received,
        report.rows,
        report.drift,
        report.not_found,
        report.exact,
        report.ids,
        report.parsed,
    )


def body_of(*rows: Any) -> bytes:
    """The API's answer with these rows; each is a JSON value, or bytes that are put there as they are."""
    texts = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    return b'{"code":"200","error":null,"msg":"","data":[' + b",".join(texts) + b"]}"


def broken(body: bytes) -> bytes:
    """The same answer, but only the tolerant parser reads it."""
    return body.replace(b'"error":null', b'"error":NaN', 1)


def rows_of(*rows: Any, known: Any = frozenset()) -> Rows:
    """The rows of an answer, identified; their counts are seen to add up."""
    snapshot = snapshot_of(body_of(*rows))
    found = identify(snapshot, known=known)
    assert len(found.hits) + len(found.dead) + found.repeated + found.summaries == len(snapshot.rows)
    return found


def read_all(snapshot: Snapshot, found: Rows) -> Reading:
    """What becomes of the rows that have an id."""
    rows = RowsOfSnapshot(server="0042", zone=BOGOTA, observed_at=OBSERVED, exact=snapshot.exact)
    return rows.read(found.hits)


def read_one(row: Any) -> Hit | DeadRow:
    """What becomes of an answer with this one row: a hit, or a dead row found in either stage."""
    snapshot = snapshot_of(body_of(row))
    found = identify(snapshot)
    reading = read_all(snapshot, found)
    results: list[Hit | DeadRow] = [*found.dead.values(), *reading.dead.values(), *reading.hits.values()]
    [result] = results
    return result


def hit_of(row: Any) -> Hit:
    """The hit that this row must become."""
    hit = read_one(row)
    assert not isinstance(hit, DeadRow)
    return hit


def dead_of(row: Any) -> DeadRow:
    """The dead row that this row must become."""
    dead = read_one(row)
    assert isinstance(dead, DeadRow)
    return dead


def written(dead: DeadRow) -> Any:
    """What its letter says of a dead row, to a reader for whom a number is a float."""
    record = Events(server="0042").dead_letter(dead, observed_at=OBSERVED, limit=10_000_000)
    return json.loads(record.value, parse_int=float)
