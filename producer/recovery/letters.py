"""Dead letters whose rows today's reader can read: after a version that knows more, or a larger message limit."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from producer.clock import Clock
from producer.core.ports import Reader
from producer.events import Events, Refusal
from producer.kafka.connection import Connection
from producer.kafka.tail import BEGINNING, tail
from producer.model import API_FIELDS, Hit, Method, Reason, Snapshot, Topic
from producer.recovery.found import Found, read_rows
from producer.wolkvox.hit import digits_of, is_rounded
from producer.wolkvox.parsing import tolerant


@dataclass(slots=True)
class Letters:
    """Rows of the letters that were asked for, and how many were left out since part of what was sent is not there.

    It was cut to fit, or could not be written, or is a number that was rounded.
    """

    rows: list[Any] = field(default_factory=list, repr=False)
    letters: int = 0
    cut: int = 0

    def add(self, value: bytes, *, server: str, reasons: Collection[Reason]) -> None:
        """Another record of the topic; what is of another server, or dead for a reason not asked for, is left out."""
        letter = tolerant(value)
        if letter.get("server") != server or (reasons and letter.get("reason") not in reasons):
            return
        self.letters += 1
        if letter.get("trimmed") or letter["reason"] == Reason.NOT_ENCODABLE or _has_rounded(letter["row"]):
            self.cut += 1
        else:
            self.rows.append(letter["row"])


async def read_letters(
    connection: Connection, server: str, *, since: float | None, reasons: Collection[Reason]
) -> Letters:
    """The dead letters of a server, from a moment on in Unix seconds; of all reasons if none is named."""
    found, name = Letters(), connection.settings.topic + Topic.DEAD_LETTER
    async with aclosing(tail(connection, name, since=BEGINNING if since is None else since, follow=False)) as records:
        async for record in records:
            found.add(record.value or b"{}", server=server, reasons=reasons)
    return found


def readable(letters: Letters, reader: Reader, *, server: str, limit: int, clock: Clock) -> Found:
    """What of them is a hit now; what is none stays the dead letter that it is."""
    now = clock.now()
    found = read_rows(Snapshot(server, now, now, letters.rows), reader, method=Method.DEAD_LETTER)
    events = Events(server=server)
    _keep_covered(found.hits, letters)
    hits = {key: hit for key, hit in found.hits.items() if not isinstance(events.hit(hit, limit=limit), Refusal)}
    return replace(found, hits=hits, dead={})


def _keep_covered(hits: Mapping[str, Hit], letters: Letters) -> None:
    """What PRIVACY_KEY covered when the letter was written is not covered once more: nobody could join by it."""
    sent = {_id(row.get("conn_id")): row for row in reversed(letters.rows) if isinstance(row, dict)}
    for key, hit in hits.items():
        row = sent.get(key, {})
        if hit["telephone"] is not None and _is_covered(row.get("telephone")):
            hit["telephone"] = row["telephone"]
        if hit["customer_id"] is not None and _is_covered(row.get("customer_id")):
            hit["customer_id"] = row["customer_id"]


def _id(value: Any) -> str:
    """As text: an id may be a number, and in a row that stays dead anything else."""
    return digits_of(value) or str(value)


def _has_rounded(row: Any) -> bool:
    """Whether one of the six fields may not be what was sent."""
    return isinstance(row, dict) and any(is_rounded(row.get(name)) for name in API_FIELDS)


def _is_covered(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None
