"""A hit, or a hit that changed, as a consumer reads it: typed, and tolerant of fields that later versions add."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

import orjson

from producer.errors import WolkvoxHitsError
from producer.events.catalogue import CURRENT, urn
from producer.events.headers import TYPES
from producer.frame import unframed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


_READ = ("ce_type", "ce_id", "ce_source", "ce_dataschema")


class NotAHit(WolkvoxHitsError):
    """The record is none that this version can read; the text names what is wrong, never a value of the hit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HitEvent:
    """One event of wolkvox.hits.

    `id` (`ce_id`) is the same however often the record is delivered: what a consumer remembers to act once. The fields
    with personal data are left out of `repr`, so that an event can be logged. In `extra`, an integer beyond 64 bits is
    a float.
    """

    id: str
    source: str
    dataschema: str
    conn_id: str
    server: str
    type_interaction: str | None
    date: str | None
    telephone: str | None = field(repr=False)
    customer_id: str | None = field(repr=False)
    hit: str | None
    occurred_at: datetime | None
    observed_at: datetime
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    def decode(cls, value: bytes | None, headers: Iterable[tuple[str, bytes | None]] | None) -> Self:
        """The event of one record, from its value and headers as aiokafka and confluent-kafka give them.

        The value may have a schema registry's frame around it. Raises NotAHit for anything else: another event, another
        major version, broken JSON, a tombstone.
        """
        envelope = _envelope(headers, "hit")
        return cls(**_fields(envelope, _body(value)))


@dataclass(frozen=True, slots=True, kw_only=True)
class HitChangedEvent(HitEvent):
    """One event of wolkvox.hits.changes: the hit as it is now.

    Its `observed_at` is when the change was shown, `first_observed_at` that of the hit's own event. Of all events of
    one `server` and `conn_id`, on both topics, the one that was observed last is the last word.
    """

    first_observed_at: datetime

    @classmethod
    def decode(cls, value: bytes | None, headers: Iterable[tuple[str, bytes | None]] | None) -> Self:
        """As `HitEvent.decode`, of a record of wolkvox.hits.changes."""
        envelope, body = _envelope(headers, "hit_changed"), _body(value)
        return cls(**_fields(envelope, body), first_observed_at=_moment(body, "first_observed_at"))


def _fields(envelope: Mapping[str, str], body: dict[str, Any]) -> dict[str, Any]:
    """What both kinds of events have."""
    return {
        "id": envelope["ce_id"],
        "source": envelope["ce_source"],
        "dataschema": envelope["ce_dataschema"],
        "conn_id": _text(body, "conn_id"),
        "server": _text(body, "server"),
        "type_interaction": _text_or_none(body, "type_interaction"),
        "date": _text_or_none(body, "date"),
        "telephone": _text_or_none(body, "telephone"),
        "customer_id": _text_or_none(body, "customer_id"),
        "hit": _text_or_none(body, "hit"),
        "occurred_at": _moment(body, "occurred_at") if body.get("occurred_at") is not None else None,
        "observed_at": _moment(body, "observed_at"),
        "extra": _extra(body),
    }


def _envelope(headers: Iterable[tuple[str, bytes | None]] | None, event: str) -> dict[str, str]:
    """The headers that are read, if they are those of an event by its schema's name; others may be anything."""
    major = urn(event, CURRENT[event].split(".")[0]) + "."
    try:
        found = {name: value.decode() for name, value in headers or () if name in _READ and value is not None}
    except UnicodeDecodeError:
        raise NotAHit("a header is not UTF-8") from None
    for name in _READ:
        if not found.get(name):
            raise NotAHit(f"no header {name}")
    if found["ce_type"] != TYPES[event]:
        raise NotAHit(f"ce_type is not {TYPES[event]}")
    if not found["ce_dataschema"].startswith(major):
        raise NotAHit(f"ce_dataschema does not start with {major}")
    return found


def _body(value: bytes | None) -> dict[str, Any]:
    try:
        body = orjson.loads(unframed(value or b""))
    except orjson.JSONDecodeError:
        raise NotAHit("the value is not JSON") from None
    if not isinstance(body, dict):
        raise NotAHit("the value is not a JSON object")
    return body


def _text(body: dict[str, Any], name: str) -> str:
    if not isinstance(value := body.get(name), str):
        raise NotAHit(f"{name} is not a text")
    return value


def _text_or_none(body: dict[str, Any], name: str) -> str | None:
    return None if body.get(name) is None else _text(body, name)


def _moment(body: dict[str, Any], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(body, name))
    except ValueError:
        raise NotAHit(f"{name} is not RFC 3339") from None
    if moment.tzinfo is None:
        raise NotAHit(f"{name} has no zone")
    return moment


def _extra(body: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(extra := body.get("extra", {}), dict):
        raise NotAHit("extra is not an object")
    return extra
