"""The ledger's records: what is told, by id, and how far each source was covered (pure).

    hit/{server}/{conn_id}   {"v":1,"outcome":"published","observed_at":"..."}      outcome: published | dead_lettered
    dead/{server}/{hash}     {"v":1,"outcome":"dead_lettered","observed_at":"..."}
    cursor/{server}          {"v":1,"requested_at":"...","observed_at":"..."}       of the last committed snapshot
    owner/{shard}            {"v":1,"owner":"...","taken_at":"..."}                 the barrier of its last taker
    owner/begun              {"v":1,"owner":"...","taken_at":"..."}                 nothing was lost when it began

A tombstone means that the id left the window. The topic is compacted, so its fold is the window.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import orjson

from producer.clock import parse_rfc3339, rfc3339
from producer.errors import Untrusted
from producer.model import Cursor, Outgoing, SourceFold, Topic

FORMAT = 1
PUBLISHED = "published"
DEAD_LETTERED = "dead_lettered"
OWNER = "owner"
BEGUN_KEY = b"owner/begun"
"""Of the mark that a ledger was begun with no hit published yet, or that somebody accepted what its loss costs."""

NO_HEADERS: list[tuple[str, bytes]] = []
"""Shared by all records without any; nobody may change it."""


def shard_of(server: str, shards: int) -> int:
    """The partition of the ledger that a source belongs to."""
    return crc32(server.encode()) % shards


def server_of(key: bytes | None) -> str | None:
    """The server that a record speaks of; None if it speaks of an owner."""
    kind, _, rest = (key or b"").decode(errors="replace").partition("/")
    return None if kind == OWNER else rest.partition("/")[0]


def told(outcome: str, observed_at: str) -> bytes:
    """The value of an id's record; the same for all ids of one snapshot, so made once."""
    return orjson.dumps({"v": FORMAT, "outcome": outcome, "observed_at": observed_at})


def hit_prefix(server: str) -> bytes:
    """What the key of each hit's record begins with."""
    return f"hit/{server}/".encode()


def hit_record(server: str, conn_id: str, value: bytes | None) -> Outgoing:
    """The record of a hit's id; None lets it go."""
    return Outgoing(Topic.LEDGER, hit_prefix(server) + conn_id.encode(), value, NO_HEADERS)


def dead_record(server: str, key: str, value: bytes | None) -> Outgoing:
    """The record of a dead row's hash; None lets it go."""
    return Outgoing(Topic.LEDGER, f"dead/{server}/{key}".encode(), value, NO_HEADERS)


def cursor_record(server: str, cursor: Cursor) -> Outgoing:
    """The record of how far a source was covered."""
    observed = None if cursor.observed is None else rfc3339(cursor.observed)
    value = orjson.dumps({"v": FORMAT, "requested_at": rfc3339(cursor.requested), "observed_at": observed})
    return Outgoing(Topic.LEDGER, f"cursor/{server}".encode(), value, NO_HEADERS)


def owner_record(shard: int, *, owner: str, taken_at: str) -> Outgoing:
    """The barrier of an owner: whoever reads as far as this has read all that any owner before him committed."""
    return _owner(f"{OWNER}/{shard}".encode(), owner, taken_at)


def begun_record(*, owner: str, taken_at: str) -> Outgoing:
    """The mark that hits which the ledger does not know were never published, or may be published again."""
    return _owner(BEGUN_KEY, owner, taken_at)


def is_begun(key: bytes | None) -> bool:
    """Whether a record shows that the ledger is the one that it was: a source's cursor, or the mark."""
    return key is not None and (key.startswith(b"cursor/") or key == BEGUN_KEY)


def _owner(key: bytes, owner: str, taken_at: str) -> Outgoing:
    return Outgoing(Topic.LEDGER, key, orjson.dumps({"v": FORMAT, "owner": owner, "taken_at": taken_at}), NO_HEADERS)


@dataclass(slots=True)
class _Entries:
    hits: dict[str, str] = field(default_factory=dict)
    dead: dict[str, str] = field(default_factory=dict)
    cursor: Cursor | None = None


class Fold:
    """The state that a partition's records add up to; feed it in offset order."""

    def __init__(self) -> None:
        self._servers: dict[str, _Entries] = {}
        # One value serves all ids of a snapshot: parsing each distinct one once makes a large restore cheap.
        self._observed: dict[bytes, str] = {}
        # What the last record's key began with, and where such ids are kept.
        self._prefix, self._ids = b"hit//", dict[str, str]()

    def apply(self, records: Iterable[tuple[bytes | None, bytes | None]]) -> None:
        """Add records as (key, value); raises Untrusted for what this version can't read."""
        known, prefix, begins, ids = self._observed.get, self._prefix, len(self._prefix), self._ids
        for key, value in records:
            # Nearly all records say of one server that an id is told, and their values are few.
            if key is not None and key.startswith(prefix) and value is not None and (observed := known(value)):
                ids[key[begins:].decode(errors="replace")] = observed
            else:
                self._apply(key or b"", value)
                known, prefix, begins, ids = self._observed.get, self._prefix, len(self._prefix), self._ids

    def _apply(self, key: bytes, value: bytes | None) -> None:
        kind, _, rest = key.decode(errors="replace").partition("/")
        if kind in ("hit", "dead"):
            server, _, name = rest.partition("/")
            entries = self._servers.get(server) or self._entries(server)
            ids = entries.hits if kind == "hit" else entries.dead
            if value is None:
                ids.pop(name, None)
            else:
                ids[name] = self._observed.get(value) or self._observed_at(value)
                self._prefix, self._ids = f"{kind}/{server}/".encode(), ids
        elif kind == "cursor":
            self._entries(rest).cursor = None if value is None else _cursor(value)
        elif kind != OWNER:
            raise Untrusted(f"the ledger holds a record of an unknown kind, {kind[:40]!r}: {NEWER}")

    def sources(self) -> Mapping[str, SourceFold]:
        """What the partition says of each server that it names."""
        return {
            server: SourceFold(entries.hits, entries.dead, entries.cursor)
            for server, entries in self._servers.items()
            if entries.hits or entries.dead or entries.cursor
        }

    def __len__(self) -> int:
        return sum(len(entries.hits) + len(entries.dead) for entries in self._servers.values())

    def _entries(self, server: str) -> _Entries:
        return self._servers.setdefault(server, _Entries())

    def _observed_at(self, value: bytes) -> str:
        observed = str(_read(value)["observed_at"])
        self._observed[value] = observed
        return observed


NEWER = "a newer version of the service wrote it; run that version, or reset the source's entries"


def _cursor(value: bytes) -> Cursor:
    content = _read(value)
    observed = content["observed_at"]
    try:
        return Cursor(parse_rfc3339(content["requested_at"]), None if observed is None else parse_rfc3339(observed))
    except (ValueError, KeyError, TypeError):
        raise Untrusted(f"the ledger holds a cursor with no times that can be read: {NEWER}") from None


def _read(value: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(value)
        if content["v"] == FORMAT and "observed_at" in content:
            return dict(content)
        found = f"format {content['v']!r}"
    except (ValueError, KeyError, TypeError):
        found = "no format that can be read"
    raise Untrusted(f"the ledger holds a record with {found}, this version knows {FORMAT}: {NEWER}")
