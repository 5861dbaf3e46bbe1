"""One row of the report to one event's value."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson

from producer.model import API_FIELDS, DeadRow, Hit, Reason, Row
from producer.values import Number, as_value, dead_row, field_pointer
from producer.wolkvox.dates import occurred_at

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_six_fields = itemgetter(*API_FIELDS)
_KNOWN = frozenset(API_FIELDS)


def read_hit(row: Row, *, server: str, zone: ZoneInfo, observed_at: str, keep_extra: bool = True) -> Hit | DeadRow:
    """The event's value for a row that `identify` gave an id, or why it can't be one.

    `zone` is where `date` was written down; `observed_at` is RFC 3339. A date that can't be read leaves `occurred_at`
    None: the caller counts where `date` is not empty. A float of the strict parser becomes its shortest digits:
    `identify` has replaced those that matter. Without `keep_extra` what stands beyond the six fields is not looked at.
    """
    try:
        fields = _six_fields(row)
        joined = "".join(fields)  # unlike `+`, it takes nothing but texts
    except (KeyError, TypeError):  # a field is absent, null or no text
        return _read_odd(row, server=server, zone=zone, observed_at=observed_at, keep_extra=keep_extra)
    if (keep_extra and len(row) > len(API_FIELDS)) or not (joined.isascii() or is_encodable(joined)):
        return _read_odd(row, server=server, zone=zone, observed_at=observed_at, keep_extra=keep_extra)
    conn_id, interaction, date, telephone, customer_id, outcome = fields
    return {
        "conn_id": conn_id,
        "type_interaction": interaction,
        "date": date,
        "telephone": telephone,
        "customer_id": customer_id,
        "hit": outcome,
        "server": server,
        "occurred_at": occurred_at(date, zone, observed_at),
        "observed_at": observed_at,
    }


def digits_of(value: Any) -> str | None:
    """A JSON number as its own digits, None for anything else."""
    if isinstance(value, Number):
        return value.digits
    if isinstance(value, int | float) and not isinstance(value, bool):
        return orjson.dumps(value).decode()
    return None


def is_rounded(value: Any) -> bool:
    """Whether a number of a letter may be a float of what was sent: it has no digits but those that a float has."""
    read = value.value() if isinstance(value, Number) else None
    return isinstance(read, float) and digits_of(read) == value.digits


def _read_odd(row: Row, *, server: str, zone: ZoneInfo, observed_at: str, keep_extra: bool) -> Hit | DeadRow:
    texts: dict[str, str | None] = {}
    for name in API_FIELDS:
        value = row.get(name)
        text = value if value is None or isinstance(value, str) else digits_of(value)
        if text is None and value is not None:
            return dead_row(row, Reason.FIELD_TYPE, field_pointer(name))
        if text is not None and not is_encodable(text):
            return dead_row(row, Reason.NOT_ENCODABLE, field_pointer(name))
        texts[name] = text
    conn_id, interaction, date, telephone, customer_id, outcome = _six_fields(texts)
    if not conn_id:
        return dead_row(row, Reason.CONN_ID_MISSING, field_pointer("conn_id"))
    hit: Hit = {
        "conn_id": conn_id,
        "type_interaction": interaction,
        "date": date,
        "telephone": telephone,
        "customer_id": customer_id,
        "hit": outcome,
        "server": server,
        "occurred_at": occurred_at(date, zone, observed_at) if date else None,
        "observed_at": observed_at,
    }
    return _with_extra(hit, row) if keep_extra else hit


def _with_extra(hit: Hit, row: Row) -> Hit | DeadRow:
    extra = {name: value for name, value in row.items() if name not in _KNOWN}
    if not extra:
        return hit
    try:
        # There and back: what orjson has written once it will write again, and `Number` comes back as a number.
        hit["extra"] = orjson.loads(_dumps_extra(extra))["extra"]
    except orjson.JSONEncodeError:
        return dead_row(row, Reason.NOT_ENCODABLE, _first_unencodable(extra))
    return hit


def _first_unencodable(extra: dict[str, Any]) -> str:
    for name, value in extra.items():
        try:
            _dumps_extra({name: value})
        except orjson.JSONEncodeError:
            return field_pointer(name)
    return ""


def _dumps_extra(extra: dict[str, Any]) -> bytes:
    return orjson.dumps({"extra": extra}, default=as_value)  # at the depth that it has in the event


def is_encodable(text: str) -> bool:
    """Whether UTF-8 can write it; a lone surrogate it can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
