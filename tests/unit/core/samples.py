"""Hits, dead rows, snapshots and a source for the tests of this room."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from producer.clock import Moment
from producer.core.digests import digests
from producer.core.harvest import Harvest
from producer.core.ports import Told
from producer.core.source import Source
from producer.core.taken import Taken
from producer.core.transaction import Transaction
from producer.core.window import NOTHING
from producer.model import Cursor, DeadRow, Dropped, Entry, Hit, OpenGap, Reason, Rows, Snapshot, SourceFold, Version

SERVER = "0042"
SHARD = 2
"""Where it belongs among 12."""
WINDOW = 600.0
"""WOLKVOX_WINDOW"""
KEEP = 7200.0
"""DEDUP_WINDOW"""
LIMIT = 1_048_588
"""max.message.bytes"""


def at(seconds: float) -> Moment:
    """A moment so many seconds into the test, on both clocks."""
    return Moment(1_768_780_800.0 + seconds, 5_000.0 + seconds)


def a_hit(conn_id: str, *, observed_at: str = "2026-01-19T00:00:00.000000Z", hit: str = "VENTA EFECTIVA") -> Hit:
    return {
        "conn_id": conn_id,
        "server": SERVER,
        "type_interaction": "inbound",
        "date": "20260118190000",
        "telephone": "573005550123",
        "customer_id": None,
        "hit": hit,
        "occurred_at": "2026-01-18T19:00:00-05:00",
        "observed_at": observed_at,
    }


def a_row(conn_id: str) -> dict[str, str]:
    """What the API sends for a hit."""
    return {"conn_id": conn_id, "type_interaction": "inbound", "date": "20260118190000", "hit": "VENTA EFECTIVA"}


def a_dead_row(key: str) -> DeadRow:
    return DeadRow(key, Reason.CONN_ID_MISSING, "/conn_id", {"hit": key})


def a_snapshot(requested: Moment, received: Moment | None = None, *, rows: int = 0) -> Snapshot:
    """A snapshot that took a second; `rows` only for its number."""
    received = received or Moment(requested.wall + 1, requested.boot + 1)
    return Snapshot(SERVER, requested, received, [None] * rows)


def polled(
    source: Source, moment: Moment, ids: Iterable[str] = (), *, dead: Iterable[str] = (), **says: str
) -> Harvest:
    """What a poll does to a source, without the API: a snapshot requested at `moment` that holds these ids, and of each
    what it `says`."""
    return taken_in(source, a_snapshot(moment), ids, dead=dead, **says)


def taken_in(
    source: Source, snapshot: Snapshot, ids: Iterable[str] = (), *, dead: Iterable[str] = (), **says: str
) -> Harvest:
    rows = Rows({key: a_row(key) for key in dict.fromkeys([*ids, *says])}, {key: a_dead_row(key) for key in dead})
    observed_at = snapshot.received.rfc3339()

    def read(found: Iterable[str]) -> dict[str, Hit]:
        return {key: a_hit(key, observed_at=observed_at, hit=says.get(key, "VENTA EFECTIVA")) for key in found}

    hits, again = read(source.unseen(rows)), list(map(read, source.known(snapshot, rows)))
    said = [dict(zip(known, digests(known.values()), strict=True)) for known in again]
    return source.add(snapshot, rows, hits=hits, changes=source.changes(again, said), dead=rows.dead)


def a_source() -> Source:
    """One whose ledger was read and found empty."""
    source = Source(server=SERVER, keep=KEEP, window=WINDOW)
    source.restore(SourceFold(), at(0))
    return source


def a_taken(*, opened: list[OpenGap] | None = None, tombstones: list[bytes] | None = None) -> Taken:
    """A transaction that carries nothing but what becomes of gaps."""
    return Taken(
        server=SERVER,
        portions=[],
        gaps=[],
        cursor=None,
        cursor_at=None,
        first_observed={},
        forgotten=[],
        tombstones=tombstones or [],
        opened=opened or [],
    )


def ids_of(taken: Taken) -> list[str]:
    """The hits of a transaction, in their order."""
    return [hit["conn_id"] for portion in taken.portions for hit in portion.hits]


def take(source: Source, room: int = 60_000) -> Taken:
    """A transaction, when nobody asks what was dropped."""
    return source.take(room, Dropped())


def settle(source: Source, taken: Taken) -> None:
    """The transaction was made and succeeded."""
    transaction = Transaction([taken], {source.server: Told()}, limit=LIMIT, now=at(0).wall)
    deque(transaction.records(), maxlen=0)
    source.settle(taken, transaction.written[source.server])


def commit(source: Source) -> Taken:
    """One transaction that succeeds."""
    taken = take(source)
    settle(source, taken)
    return taken


def forgotten(taken: Taken) -> list[str]:
    """The ids of hits that a transaction lets go, in their order."""
    return [key for entry in taken.forgotten if entry.key.startswith(b"told/") for key in entry.ids]


def forgotten_dead(taken: Taken) -> list[str]:
    """The dead rows that a transaction lets go."""
    return [key for entry in taken.forgotten if entry.key.startswith(b"dead/") for key in entry.ids]


def changes_of(taken: Taken) -> list[tuple[str, str | None]]:
    """The changes of a transaction, in their order: the id, and what it says."""
    return [(hit["conn_id"], hit["hit"]) for portion in taken.portions for hit in portion.changes]


def fold(
    *hits: str,
    cursor: Moment | None = None,
    dead: str = "",
    observed: str = "earlier",
    changed: Mapping[str, Version] = NOTHING,
) -> SourceFold:
    """What the ledger says of the source."""
    return SourceFold(
        [an_entry(key, observed) for key in hits],
        [Entry(f"dead/{SERVER}/of {key}".encode(), observed, [key]) for key in dead],
        changed,
        None if cursor is None else Cursor(cursor.wall, None),
    )


def an_entry(key: str, observed: str) -> Entry:
    """A hit as somebody told it."""
    return Entry(f"told/{SERVER}/of {key}".encode(), observed, [key], digests([a_hit(key)])[0])


def dropped_by(source: Source) -> Dropped:
    """What the next transaction drops; it succeeds."""
    dropped = Dropped()
    settle(source, source.take(60_000, dropped))
    return dropped
