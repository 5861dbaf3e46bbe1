"""Hits, dead letters and coverage gaps as Kafka records: CloudEvents 1.0, Kafka binding, binary mode.

Nothing leaves that its own schema refuses. A hit that does not fit comes back as a `Refusal`, and the caller makes the
dead letter; a dead letter or a gap that does not fit is our own bug.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from producer.clock import rfc3339
from producer.errors import WolkvoxHitsError
from producer.events import encoding
from producer.events.catalogue import CURRENT, urn, writer, writer_of_many
from producer.events.encoding import NotEncodable
from producer.events.record import Header, Record, size
from producer.model import REPORT, Reason, Topic
from producer.values import encodable, field_pointer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from producer.model import DeadRow, Gap, Hit

TYPES = {"hit": "wolkvox.hit", "dead_letter": "wolkvox.dead-letter", "coverage_gap": "wolkvox.coverage-gap"}
"""`ce_type` by the schema's name."""

Columns = tuple[list[bytes], list[bytes], list[list[Header]]]
"""The keys, the values and the headers of many records."""

_ROOM = 4096
"""More than key, headers and framing of any hit take: a conn_id of 256 characters counts at most 3 x 1,024 bytes."""

_LONGEST_POINTER = 1024

_BEHIND = {"occurred_at": "date", "observed_at": "", "server": "", "extra": ""}
"""The row's field behind a field of the event, where the name differs; "" for none."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a hit can't be sent, and where: `pointer` is a JSON pointer into the API's row, "" for the whole."""

    reason: Reason
    pointer: str


class BrokenContract(WolkvoxHitsError):
    """A dead letter or a gap that its own schema refuses: a bug in this service, told without the row."""


class Events:
    """The events of one source; `server` is its four digits.

    `limit` is always the topic's message limit in bytes (`max.message.bytes`).
    """

    def __init__(self, *, server: str) -> None:
        self._server = server
        self._prefix = f"{server}/".encode()
        self._is_hit = writer("hit").is_valid
        self._are_hits = writer_of_many("hit").is_valid
        self._constant = {name: _constant(name, server) for name in TYPES}

    def hit(self, hit: Hit, *, limit: int) -> Record | Refusal:
        """The record of one hit, or why there is none."""
        if not self._is_hit(hit):
            return _refused(hit)
        try:
            value = orjson.dumps(hit)
        except orjson.JSONEncodeError:
            try:
                value = encoding.exactly(hit)
            except NotEncodable:
                return self._not_encodable(hit)
        [key], [headers] = self._keys_and_headers([hit])
        record = Record(Topic.HITS, key, value, headers)
        if len(value) > limit - _ROOM and size(record) > limit:
            return Refusal(Reason.TOO_LARGE, "")
        return record

    def together(self, hits: Sequence[Hit], *, limit: int) -> Columns | None:
        """The records of one or more hits of one snapshot, as `hit` makes them; None if it must look at each."""
        if not self._are_hits(hits):
            return None
        try:
            values = list(map(orjson.dumps, hits))
        except orjson.JSONEncodeError:
            return None
        if max(map(len, values), default=0) > limit - _ROOM:
            return None
        keys, headers = self._keys_and_headers(hits)
        return keys, values, headers

    def dead_letter(self, dead: DeadRow, *, observed_at: str, limit: int) -> Record:
        """The record of a row that is no hit, its row trimmed if it would exceed `limit`; raises BrokenContract."""
        envelope = {
            "server": self._server,
            "observed_at": observed_at,
            "reason": dead.reason.value,
            "pointer": encodable(dead.pointer) if len(dead.pointer) <= _LONGEST_POINTER else "",
            "row": None,
        }
        _must_fit("dead_letter", envelope)
        key = dead.key.encode()
        headers = self._headers("dead_letter", self._prefix + key, observed_at, key)
        try:
            record = Record(Topic.DEAD_LETTER, key, encoding.leniently({**envelope, "row": dead.row}), headers)
            if size(record) <= limit:
                return record
        except NotEncodable:
            pass
        frame = {**envelope, "trimmed": True}
        room = limit - size(Record(Topic.DEAD_LETTER, key, encoding.leniently(frame), headers))
        frame["row"] = encoding.trim(dead.row, budget=room)
        return Record(Topic.DEAD_LETTER, key, encoding.leniently(frame), headers)

    def coverage_gap(self, gap: Gap, *, observed_at: str) -> Record:
        """The record of a gap; its id depends on the gap alone, so it is the same after a restart.

        Raises BrokenContract.
        """
        start = rfc3339(gap.start)
        value = {
            "server": gap.server,
            "from": start,
            "to": rfc3339(gap.end),
            "kind": gap.kind.value,
            "certain": gap.certain,
        }
        _must_fit("coverage_gap", value)
        key = gap.server.encode()
        identity = f"{gap.server}/{gap.kind.value}/{start}".encode()
        headers = self._headers("coverage_gap", identity, observed_at, key)
        return Record(Topic.COVERAGE, key, encoding.exactly(value), headers)

    def _keys_and_headers(self, hits: Sequence[Hit]) -> tuple[list[bytes], list[list[Header]]]:
        # All events of a snapshot share all headers but two.
        shared = [*self._constant["hit"], ("ce_time", hits[0]["observed_at"].encode())]
        keys = [hit["conn_id"].encode() for hit in hits]
        prefix = self._prefix
        return keys, [[*shared, ("ce_id", prefix + key), ("ce_subject", key)] for key in keys]

    def _headers(self, name: str, identity: bytes, observed_at: str, subject: bytes) -> list[Header]:
        own = ("ce_time", observed_at.encode()), ("ce_id", identity), ("ce_subject", subject)
        return [*self._constant[name], *own]

    def _not_encodable(self, hit: Hit) -> Refusal:
        for name, value in [*hit.items(), *hit.get("extra", {}).items()]:
            try:
                encoding.exactly([name, value])
            except NotEncodable:
                if name != "extra":
                    return Refusal(Reason.NOT_ENCODABLE, _pointer(name))
        return Refusal(Reason.NOT_ENCODABLE, "")


def _constant(name: str, server: str) -> tuple[Header, ...]:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", TYPES[name].encode()),
        ("ce_source", f"/wolkvox/{server}/{REPORT}".encode()),
        ("ce_dataschema", urn(name, CURRENT[name]).encode()),
        ("content-type", b"application/json"),
    )


def _must_fit(name: str, value: dict[str, Any]) -> None:
    error = next(iter(writer(name).iter_errors(value)), None)
    if error is not None:
        # Only the rule and the field: an error's own text repeats the value.
        where = "/".join(map(str, error.instance_path))
        raise BrokenContract(f"{name} breaks its own schema: {error.kind.name} at /{where}")


def _refused(hit: Hit) -> Refusal:
    path = next(iter(writer("hit").iter_errors(hit))).instance_path
    return Refusal(Reason.SCHEMA, _pointer(str(path[0])) if path else "")


def _pointer(field: str) -> str:
    name = _BEHIND.get(field, field)
    pointer = encodable(field_pointer(name)) if name else ""
    return pointer if len(pointer) <= _LONGEST_POINTER else ""
