"""What an independent consumer has read back from the topics, without the personal data in it (pure)."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from producer.clock import parse_rfc3339
from producer.model import Gap, GapKind

LAST = 12
"""Hits that are kept to be looked at."""


@dataclass(frozen=True, slots=True)
class HitLine:
    """What is shown of a hit: neither telephone nor customer id. `delay` in seconds from the call to the reader."""

    conn_id: str
    type_interaction: str
    hit: str
    occurred_at: float | None
    delay: float | None


class Readback:
    """Counts what comes; keeps what each hit said, the last hits and all gaps."""

    def __init__(self) -> None:
        self.events: list[str] = []
        """The conn_id of each event, in the order read."""
        self.changes = 0
        self.gaps: list[Gap] = []
        self.recovered = 0
        """Hits that were published when gaps were healed."""
        self.last: deque[HitLine] = deque(maxlen=LAST)
        self._said: dict[str, list[tuple[str, str]]] = {}
        self._ids: set[str] = set()

    @property
    def duplicates(self) -> int:
        """Events too many."""
        return len(self.events) - len(self._ids)

    def missing(self, ids: Collection[str]) -> int:
        """Of the conn_ids, how many have no event yet."""
        return len(set(ids) - self._ids)

    @property
    def words(self) -> dict[str, list[str]]:
        """What the `hit` of each conn_id said, by the events of both topics, as they were observed."""
        return {conn_id: [hit for _, hit in sorted(said)] for conn_id, said in self._said.items()}

    def take_hit(self, value: bytes, *, now: float, recovered: bool = False) -> None:
        """An event of the hits topic, read at `now` in Unix seconds.

        One that was `recovered` says what the history does: of the report's words some may have died with a process.
        """
        hit = orjson.loads(value)
        occurred_at = parse_rfc3339(hit["occurred_at"]) if hit["occurred_at"] else None
        self.events.append(hit["conn_id"])
        self._ids.add(hit["conn_id"])
        if not recovered:
            self._hear(hit)
        self.last.append(
            HitLine(
                conn_id=hit["conn_id"],
                type_interaction=hit["type_interaction"] or "",
                hit=hit["hit"] or "",
                occurred_at=occurred_at,
                delay=None if occurred_at is None else now - occurred_at,
            )
        )

    def take_change(self, value: bytes) -> None:
        """An event of the changes topic."""
        self.changes += 1
        self._hear(orjson.loads(value))

    def take_gap(self, value: bytes) -> None:
        """An event of the coverage topic: a gap, or that one was healed."""
        gap = orjson.loads(value)
        if "method" in gap:
            self.recovered += gap["published"]
            return
        start, end = parse_rfc3339(gap["from"]), parse_rfc3339(gap["to"])
        self.gaps.append(Gap(gap["server"], start, end, GapKind(gap["kind"]), gap["certain"]))

    def _hear(self, hit: Mapping[str, Any]) -> None:
        self._said.setdefault(hit["conn_id"], []).append((hit["observed_at"], hit["hit"] or ""))
