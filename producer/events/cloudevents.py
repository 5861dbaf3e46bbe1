"""Hits, dead letters and coverage gaps as Kafka records: CloudEvents 1.0, Kafka binding, binary mode.

Nothing leaves that its own schema refuses. A hit that does not fit comes back as a `Refusal`, and the caller makes the
dead letter; a dead letter or a gap that does not fit is our own bug.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from producer.clock import rfc3339
from producer.errors import WolkvoxHitsError
from producer.events.catalogue import CURRENT, urn, writer
from producer.events.encoding import NotEncodable, encode, encode_leniently, scrub, trim
from producer.model import Reason

if TYPE_CHECKING:
    from producer.model import DeadRow, Gap, Hit

Header = tuple[str, bytes]

TYPES = {"hit": "wolkvox.hit", "dead_letter": "wolkvox.dead-letter", "coverage_gap": "wolkvox.coverage-gap"}
"""`ce_type` by the schema's name."""

_ROOM = 4096
"""More than key, headers and framing of any hit take: a conn_id of 256 characters counts at most 3 x 1,024 bytes."""

_BATCH_HEADER = 61
_FRAME = 31
"""Length, attributes, two deltas, two lengths and the header count of one record, each at its longest."""
_HEADER_FRAME = 10

_LONGEST_POINTER = 1024


class Record(NamedTuple):
    """What a producer sends: `headers` as Kafka clients take them, names with UTF-8 values."""

    key: bytes
    value: bytes
    headers: list[Header]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a hit can't be sent, and where: `pointer` is a JSON pointer into the API's row, "" for the whole."""

    reason: Reason
    pointer: str


class BrokenContract(WolkvoxHitsError):
    """A dead letter or a gap that its own schema refuses: a bug in this service, told without the row."""


def size(record: Record) -> int:
    """Bytes of a batch that holds this record alone, uncompressed: never less than what the broker counts."""
    headers = sum(_HEADER_FRAME + len(name) + len(value) for name, value in record.headers)
    return _BATCH_HEADER + _FRAME + len(record.key) + len(record.value) + headers


class Events:
    """The events of one source; `server` is its four digits.

    `limit` is always the topic's message limit in bytes (`max.message.bytes`).
    """

    def __init__(self, *, server: str) -> None:
        self._server = server
        self._prefix = f"{server}/".encode()
        self._is_hit = writer("hit").is_valid
        self._hit_headers = _constant("hit", server)
        self._dead_headers = _constant("dead_letter", server)
        self._gap_headers = _constant("coverage_gap", server)
        self._time: tuple[str, Header] = ("", ("ce_time", b""))

    def hit(self, hit: Hit, *, limit: int) -> Record | Refusal:
        """The record of one hit, or why there is none; 60,000 of these are made in one go."""
        if not self._is_hit(hit):
            return _refused(hit)
        try:
            value = orjson.dumps(hit)
        except orjson.JSONEncodeError:
            try:
                value = encode(hit)
            except NotEncodable:
                return Refusal(Reason.NOT_ENCODABLE, _unencodable(hit))
        key = hit["conn_id"].encode()
        observed_at = hit["observed_at"]
        time = self._time[1] if self._time[0] == observed_at else self._ce_time(observed_at)
        record = Record(key, value, [*self._hit_headers, ("ce_id", self._prefix + key), time, ("ce_subject", key)])
        if len(value) > limit - _ROOM and size(record) > limit:
            return Refusal(Reason.TOO_LARGE, "")
        return record

    def dead_letter(self, dead: DeadRow, *, observed_at: str, limit: int) -> Record:
        """The record of a row that is no hit, its row trimmed if it would exceed `limit`; raises BrokenContract."""
        pointer = scrub(dead.pointer) if len(dead.pointer) <= _LONGEST_POINTER else ""
        value = {
            "server": self._server,
            "observed_at": observed_at,
            "reason": dead.reason.value,
            "pointer": pointer,
            "row": dead.row,
        }
        _must_fit("dead_letter", {**value, "row": None, "trimmed": True})
        key = dead.key.encode()
        headers = [*self._dead_headers, ("ce_id", self._prefix + key), self._ce_time(observed_at), ("ce_subject", key)]
        try:
            record = Record(key, encode_leniently(value), headers)
            if size(record) <= limit:
                return record
        except NotEncodable:
            pass
        empty = Record(key, encode_leniently({**value, "row": None, "trimmed": True}), headers)
        row = trim(dead.row, budget=limit - size(empty))
        return Record(key, encode_leniently({**value, "row": row, "trimmed": True}), headers)

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
        identity = ("ce_id", f"{gap.server}/{gap.kind.value}/{start}".encode())
        return Record(
            key, encode(value), [*self._gap_headers, identity, self._ce_time(observed_at), ("ce_subject", key)]
        )

    def _ce_time(self, observed_at: str) -> Header:
        # All events of a snapshot share it; the snapshots of a batch come one after the other.
        if self._time[0] != observed_at:
            self._time = (observed_at, ("ce_time", observed_at.encode()))
        return self._time[1]


def _constant(name: str, server: str) -> tuple[Header, ...]:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", TYPES[name].encode()),
        ("ce_source", f"/wolkvox/{server}/hits_last_hour".encode()),
        ("ce_dataschema", urn(name, CURRENT[name]).encode()),
        ("content-type", b"application/json"),
    )


def _must_fit(name: str, value: dict[str, Any]) -> None:
    error = next(iter(writer(name).iter_errors(value)), None)
    if error is not None:
        # Only the rule and the field: an error's own text repeats the value.
        where = "/".join(map(str, error.instance_path))
        raise BrokenContract(f"{name} breaks its own schema: {error.kind.name} at /{where}")


_FROM = {"occurred_at": "date", "observed_at": "", "server": ""}
"""The row's field behind a field of the event, where the name differs; "" for none."""


def _refused(hit: Hit) -> Refusal:
    error = next(iter(writer("hit").iter_errors(hit)))
    path = [str(step) for step in error.instance_path if step != "extra"]
    return Refusal(Reason.SCHEMA, _pointer(path[0]) if path else "")


def _unencodable(hit: Hit) -> str:
    fields: dict[str, Any] = {**hit, **hit.get("extra", {})}
    for name, value in fields.items():
        try:
            encode([name, value])
        except NotEncodable:
            if name != "extra":
                return _pointer(name)
    return ""


def _pointer(field: str) -> str:
    name = _FROM.get(field, field)
    escaped = scrub(name).replace("~", "~0").replace("/", "~1")
    return f"/{escaped}" if name and len(escaped) < _LONGEST_POINTER else ""
