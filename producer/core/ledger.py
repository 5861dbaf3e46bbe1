"""The ledger's records: what is told, and how far each source was covered (pure). `fold` reads them.

    told/{server}/{unique}   {"v":2,"outcome":"published","observed_at":"...","ids":[...],"digests":"..."}
    changed/{server}/{id}    {"v":2,"outcome":"published","observed_at":"...","digest":"..."}      what it said last
    dead/{server}/{unique}   {"v":2,"outcome":"dead_lettered","observed_at":"...","ids":[...]}     hashes of dead rows
    cursor/{server}          {"v":2,"requested_at":"...","observed_at":"..."}       of the last committed snapshot
    gap/{server}/{from}      {"v":2,"from":"...","to":"...","kind":"unpolled",...,"observed_at":"..."}    to be healed
    owner/{shard}            {"v":2,"owner":"...","taken_at":"..."}                 the barrier of its last taker
    owner/begun              {"v":2,"owner":"...","taken_at":"..."}                 nothing was lost when it began

A record holds up to some hundreds of ids that one transaction told of one snapshot, and their `digests` (see there) in
base64, end to end. The outcome is published or dead_lettered. A tombstone means that the last of its ids has left the
window; what changed of them goes along. A gap's means that it was healed, or that nobody waits for it any more. The
topic is compacted, so its fold is the window. `unique` is a hash of the value: no two records share a key unless they
say the same, whoever wrote them, so none hides what another told.
"""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from enum import StrEnum
from hashlib import blake2b
from typing import Any
from zlib import crc32

import orjson

from producer.clock import rfc3339
from producer.core.digests import SIZE
from producer.model import Cursor, Entry, Gap, OpenGap, Outgoing, Topic, Version

FORMAT = 2
OWNER = "owner"
BEGUN_KEY = b"owner/begun"
"""Of the mark that a ledger was begun with no hit published yet, or that somebody accepted what its loss costs."""

NO_HEADERS: list[tuple[str, bytes]] = []
"""Shared by all records without any; nobody may change it."""

_FRAME = 200
"""Bytes that the key and the batch around a value take at most."""
_UNIQUE = 9


class Kind(StrEnum):
    """What a record speaks of: ids of hits, hashes of rows that are none, what a hit said last, or a gap."""

    TOLD = "told"
    DEAD = "dead"
    CHANGED = "changed"
    """Of one hit, which is in the key."""
    GAP = "gap"
    """A stretch of time that waits to be healed; its beginning is in the key."""


class Outcome(StrEnum):
    """What became of them."""

    PUBLISHED = "published"
    DEAD_LETTERED = "dead_lettered"


def shard_of(server: str, shards: int) -> int:
    """The partition of the ledger that a source belongs to."""
    return crc32(server.encode()) % shards


def server_of(key: bytes | None) -> str | None:
    """The server that a record speaks of; None if it speaks of an owner."""
    kind, _, rest = (key or b"").decode(errors="replace").partition("/")
    return None if kind == OWNER else rest.partition("/")[0]


def entry_records(
    kind: Kind,
    server: str,
    ids: Sequence[str],
    *,
    outcome: Outcome,
    observed_at: str,
    limit: int,
    digests: bytes = b"",
) -> Iterator[tuple[Entry, Outgoing]]:
    """The entry of these ids and its record; several where one would have more than `limit` bytes."""
    content: dict[str, Any] = {"v": FORMAT, "outcome": outcome, "observed_at": observed_at, "ids": ids}
    if digests:
        content["digests"] = b64encode(digests).decode()
    value = orjson.dumps(content)
    if len(value) > limit - _FRAME and len(ids) > 1:
        half = len(ids) // 2
        for some, theirs in ((ids[:half], digests[: half * SIZE]), (ids[half:], digests[half * SIZE :])):
            yield from entry_records(
                kind, server, some, outcome=outcome, observed_at=observed_at, limit=limit, digests=theirs
            )
        return
    unique = urlsafe_b64encode(blake2b(value, digest_size=_UNIQUE).digest()).decode()
    key = f"{kind}/{server}/{unique}".encode()
    yield Entry(key, observed_at, ids, digests), Outgoing(Topic.LEDGER, key, value, NO_HEADERS)


def changed_key(server: str, conn_id: str) -> bytes:
    """The key of what a hit said last."""
    return f"{Kind.CHANGED}/{server}/{conn_id}".encode()


def changed_record(server: str, conn_id: str, version: Version, *, outcome: Outcome) -> Outgoing:
    """The record of what a hit says now; when it was first seen its entry knows."""
    content = {"v": FORMAT, "outcome": outcome, "observed_at": version.observed_at}
    value = orjson.dumps(content | {"digest": b64encode(version.digest).decode()})
    return Outgoing(Topic.LEDGER, changed_key(server, conn_id), value, NO_HEADERS)


def tombstone(key: bytes) -> Outgoing:
    """What lets a record go."""
    return Outgoing(Topic.LEDGER, key, None, NO_HEADERS)


def cursor_record(server: str, cursor: Cursor) -> Outgoing:
    """The record of how far a source was covered."""
    observed = None if cursor.observed is None else rfc3339(cursor.observed)
    value = orjson.dumps({"v": FORMAT, "requested_at": rfc3339(cursor.requested), "observed_at": observed})
    return Outgoing(Topic.LEDGER, f"cursor/{server}".encode(), value, NO_HEADERS)


def gap_key(gap: Gap) -> bytes:
    """The key of a gap that waits; of two that begin at one moment the longer stands for both."""
    return f"{Kind.GAP}/{gap.server}/{rfc3339(gap.start)}".encode()


def gap_record(open_gap: OpenGap) -> Outgoing:
    """The record of a gap that waits to be healed."""
    gap = open_gap.gap
    content = {"v": FORMAT, "from": rfc3339(gap.start), "to": rfc3339(gap.end), "kind": gap.kind.value}
    value = orjson.dumps(content | {"certain": gap.certain, "observed_at": open_gap.observed_at})
    return Outgoing(Topic.LEDGER, gap_key(gap), value, NO_HEADERS)


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
