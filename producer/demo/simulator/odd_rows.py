"""One of each odd row, with what must become of it: the rows of the faults, and a table for tests.

Ids hold the hour of `now`, so that a test of hours never sees the same id come back after it was forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from producer.demo.simulator.answers import Row
from producer.demo.simulator.callcentre import BOGOTA

Outcome = Literal["event", "dead", "repeated", "summary"]
_FIELDS = (b"conn_id", b"type_interaction", b"date", b"telephone", b"customer_id", b"hit")
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class OddRow:
    """A row as raw JSON, what must become of it, and the conn_id of its event if it becomes one."""

    name: str
    encoded: bytes
    outcome: Outcome
    conn_id: str | None = None

    @property
    def row(self) -> Row:
        return Row(self.conn_id, self.encoded)


def odd_rows(now: float) -> tuple[OddRow, ...]:
    """One of each; two are the same row twice, of which the second is "repeated"."""
    rows = _Rows(now)
    return (
        *(*_odd_ids(rows), *number_ids(now), *exponent_ids(now)),
        *(*_odd_fields(rows), *odd_dates(now), *_no_objects(), *_summaries(rows)),
    )


def total_line(now: float) -> OddRow:
    """The report's own summary line."""
    return _summaries(_Rows(now))[0]


def extra_fields(now: float) -> OddRow:
    """A hit with fields that nobody announced."""
    return _Rows(now).hit("extra-fields", 90, {b"agent": b'{"name":"x","skills":[1,2]}', b"duration": b"61.50"})


def not_a_number(now: float) -> OddRow:
    """A hit with NaN, which is no JSON: becomes null."""
    return _Rows(now).hit("nan", 91, {b"customer_id": b"NaN"})


def lone_surrogate(now: float) -> OddRow:
    """Half of a character: can't be written as UTF-8, so it is no event."""
    return _Rows(now).dead("lone-surrogate", 92, {b"hit": rb'"VENTA \ud83d"'})


def broken_bytes(now: float) -> OddRow:
    """A one-byte accent where UTF-8 should be: becomes an event with the letter that was meant."""
    return _Rows(now).hit("broken-bytes", 93, {b"hit": b'"RENOVACI\xd3N"'})


def huge_row(now: float) -> OddRow:
    """2 MB in one field: more than a topic takes by default."""
    return _Rows(now).dead("huge-row", 94, {b"hit": b'"' + b"X" * 2_000_000 + b'"'})


def number_ids(now: float) -> tuple[OddRow, ...]:
    """Ids that are JSON numbers: each digit counts, the last zero and the 21st digit too. Of one row all fields are."""
    hour = int(now) // 3600
    rows = _Rows(now)
    ids = {
        "id-number": f"{hour}.10",
        "id-21-digits": f"{10**20 + hour}",
        "id-int": f"{hour}77",
        "all-numbers": f"{hour}78",
    }
    others: dict[str, dict[bytes, Any]] = {"all-numbers": dict.fromkeys(_FIELDS, rows.date.encode())}
    return tuple(
        OddRow(name, rows.encoded(others.get(name, {}) | {b"conn_id": digits.encode()}), "event", digits)
        for name, digits in ids.items()
    )


def exponent_ids(now: float) -> tuple[OddRow, ...]:
    """Two hits whose ids were written as floats: what is left of the ids is the same."""
    rows, raw = _Rows(now), b"1.7687828e+18"
    return tuple(
        rows.dead(f"id-exponent-{number}", number, {b"conn_id": raw, b"hit": b'"VENTA %d"' % number})
        for number in (1, 2)
    )


def odd_dates(now: float) -> tuple[OddRow, ...]:
    """The hour of `now` in each form that a date may have."""
    rows, local = _Rows(now), datetime.fromtimestamp(int(now) // 3600 * 3600, BOGOTA)
    forms = {
        "date-iso": local.strftime("%Y-%m-%d %H:%M:%S"),
        "date-t": local.strftime("%Y-%m-%dT%H:%M:%S"),
        "date-fraction": local.strftime("%Y-%m-%dT%H:%M:%S.250"),
        "date-offset": local.isoformat(),
        "date-utc": local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "date-slashes": local.strftime("%d/%m/%Y %H:%M:%S"),
        "date-without-seconds": local.strftime("%d/%m/%Y %H:%M"),
    }
    return tuple(
        rows.hit(name, 70 + at, {b"date": orjson.dumps(text)}) for at, (name, text) in enumerate(forms.items())
    )


class _Rows:
    """Makes rows that are sound but for what is said."""

    def __init__(self, now: float) -> None:
        hour = int(now) // 3600 * 3600
        self._prefix = f"9000.1000.1000.{hour}"
        self.date = datetime.fromtimestamp(hour, BOGOTA).strftime("%Y%m%d%H%M%S")
        values = ("", "INBOUND", self.date, "3000000000", "1000000000", "VENTA EFECTIVA")
        self._sound = dict(zip(_FIELDS, map(orjson.dumps, values), strict=True))

    def encoded(self, changes: dict[bytes, Any]) -> bytes:
        fields = {**self._sound, **changes}
        return b"{%b}" % b",".join(b'"%b":%b' % (key, raw) for key, raw in fields.items() if raw is not _ABSENT)

    def hit(self, name: str, number: int, changes: dict[bytes, Any]) -> OddRow:
        conn_id = f"{self._prefix}.{number}"
        return OddRow(name, self.encoded({b"conn_id": orjson.dumps(conn_id), **changes}), "event", conn_id)

    def dead(self, name: str, number: int, changes: dict[bytes, Any]) -> OddRow:
        return OddRow(name, self.hit(name, number, changes).encoded, "dead")


def _odd_ids(rows: _Rows) -> tuple[OddRow, ...]:
    wrong = {
        "id-absent": _ABSENT,
        "id-null": b"null",
        "id-empty": b'""',
        "id-blank": b'"  \\t"',
        "id-boolean": b"true",
        "id-object": b'{"id":"1"}',
        "id-list": b'["1"]',
        "id-300-characters": b'"' + b"9" * 300 + b'"',
        "id-with-nul": b'"9000.1000\\u0000"',
        "id-with-newline": b'"9000.1000\\n"',
        "id-lone-surrogate": b'"9000.\\udc00"',
    }
    dead = tuple(rows.dead(name, number, {b"conn_id": raw}) for number, (name, raw) in enumerate(wrong.items()))
    once = rows.hit("id-repeated", 20, {})
    again = OddRow("id-repeated-again", once.encoded, "repeated")
    twice = rows.hit("key-twice", 21, {})
    # The last of a repeated key counts, as with every usual parser.
    key_twice = OddRow("key-twice", b'{"conn_id":"9000.first",' + twice.encoded[1:], "event", twice.conn_id)
    return (*dead, once, again, key_twice)


def _odd_fields(rows: _Rows) -> tuple[OddRow, ...]:
    dead: dict[str, dict[bytes, Any]] = {
        "field-object": {b"telephone": b'{"n":"3000000000"}'},
        "field-list": {b"hit": b'["VENTA EFECTIVA"]'},
        "field-boolean": {b"customer_id": b"false"},
        "fields-all-booleans": dict.fromkeys(_FIELDS, b"true") | {b"conn_id": b"7"},
        "field-lone-surrogate": {b"hit": b'"VENTA \\ud800"'},
    }
    fine: dict[str, dict[bytes, Any]] = {
        "field-null": {b"customer_id": b"null"},
        "field-absent": {b"type_interaction": _ABSENT, b"hit": _ABSENT},
        "field-number": {b"telephone": b"3000000000", b"customer_id": b"1000000000.50"},
        "field-with-nul": {b"hit": b'"VENTA\\u0000EFECTIVA"'},
        "field-long": {b"hit": b'"' + b"VENTA " * 1000 + b'"'},
        "field-unknown": {b"agent": b'{"name":"x"}', b"duration": b"61.50"},
        "date-impossible": {b"date": b'"20261340250000"'},
        "date-garbage": {b"date": b'"ayer"'},
        "date-empty": {b"date": b'""'},
    }
    return (
        *(rows.dead(name, 30 + number, changes) for number, (name, changes) in enumerate(dead.items())),
        *(rows.hit(name, 50 + number, changes) for number, (name, changes) in enumerate(fine.items())),
    )


def _no_objects() -> tuple[OddRow, ...]:
    values = {"row-null": b"null", "row-text": b'"no"', "row-number": b"7", "row-list": b'[["conn_id","9000.1"]]'}
    return tuple(OddRow(name, raw, "dead") for name, raw in values.items())


def _summaries(rows: _Rows) -> tuple[OddRow, ...]:
    return (
        OddRow("total-without-id", b'{"type_interaction":"TOTAL","hit":"17"}', "summary"),
        OddRow("total-as-id", rows.encoded({b"conn_id": b'"TOTAL"'}), "summary"),
    )
