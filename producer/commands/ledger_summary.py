"""The ledger in numbers: what it knows of each source, where, and what is odd about it (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from producer.core.ledger import FORMAT, Kind, server_of, shard_of
from producer.kafka.entries import PartitionEntries

HEADERS = ("SERVER", "PARTITION", "IDS", "CHANGED", "DEAD", "GAPS", "COVERED UNTIL", "LAST NEW IDS", "OFFSETS", "NOTE")


@dataclass(slots=True)
class ServerEntries:
    """What one partition knows of one server; times as the ledger writes them."""

    server: str
    partition: int
    ids: int = 0
    changed: int = 0
    dead: int = 0
    gaps: int = 0
    """That wait to be healed."""
    requested: str = ""
    observed: str = ""
    unreadable: int = 0
    """Entries of another format, or of a kind that this version does not know."""

    def add(self, key: bytes, value: bytes) -> None:
        """Count one entry."""
        content = _content(value)
        match key.decode(errors="replace").partition("/")[0]:
            case _ if content is None:
                self.unreadable += 1
            case Kind.TOLD:
                self.ids += len(content.get("ids", ()))
            case Kind.CHANGED:
                self.changed += 1
            case Kind.DEAD:
                self.dead += len(content.get("ids", ()))
            case Kind.GAP:
                self.gaps += 1
            case "cursor":
                self.requested = str(content.get("requested_at") or "")
                self.observed = str(content.get("observed_at") or "")
            case _:
                self.unreadable += 1


def summary(ledger: Mapping[int, PartitionEntries]) -> list[ServerEntries]:
    """By server, then by partition; a server has more than one only if the topic was repartitioned."""
    found: dict[tuple[str, int], ServerEntries] = {}
    for number, there in ledger.items():
        for key, value in there.entries.items():
            if (server := server_of(key)) is None:
                continue
            found.setdefault((server, number), ServerEntries(server, number)).add(key, value)
    return [found[where] for where in sorted(found)]


def rows(ledger: Mapping[int, PartitionEntries], *, configured: Collection[str]) -> Iterator[tuple[str, ...]]:
    """The table's rows: a line for each server that the ledger or the settings know (`configured` may be nobody)."""
    known = summary(ledger)
    for one in known:
        yield (
            one.server,
            str(one.partition),
            str(one.ids),
            str(one.changed),
            str(one.dead),
            str(one.gaps),
            _time(one.requested),
            _time(one.observed),
            _offsets(ledger[one.partition]),
            "; ".join(_notes(one, shards=len(ledger), configured=configured)),
        )
    for server in sorted(set(configured) - {one.server for one in known}):
        shard = shard_of(server, len(ledger))
        yield server, str(shard), "0", "0", "0", "0", "-", "-", _offsets(ledger[shard]), "nothing told yet"


def _notes(one: ServerEntries, *, shards: int, configured: Collection[str]) -> Iterator[str]:
    right = shard_of(one.server, shards)
    if right != one.partition:
        yield f"belongs into partition {right}: the topic was repartitioned"
    if configured and one.server not in configured:
        yield "not in the settings: nobody polls it here"
    if one.unreadable:
        yield f"{one.unreadable} entries of another version"


def _content(value: bytes) -> dict[str, Any] | None:
    try:
        content = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(content, dict) and content.get("v") == FORMAT else None


def _time(text: str) -> str:
    """To the second, as people read it: `2026-01-18 20:13:32Z`."""
    return f"{text[:10]} {text[11:19]}Z" if text else "-"


def _offsets(there: PartitionEntries) -> str:
    return "-" if there.first is None else f"{there.first}-{there.last}"
