"""Hits, changes, dead rows and gaps for the tests of this room, fixed and drawn."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any, cast

from hypothesis import strategies as st

from producer.clock import rfc3339
from producer.model import DeadRow, Gap, GapKind, GapRecovered, Hit, HitChanged, Method, Reason

OBSERVED = "2026-01-19T01:14:00.123456Z"
LATER = "2026-01-19T01:24:00.654321Z"
LIMIT = 1_048_588
"""Kafka's own default of max.message.bytes."""


def a_hit(**changed: Any) -> Hit:
    """A usual hit with some fields changed, also to what no hit may hold."""
    usual = {
        "conn_id": "6736.4628.1040.1768782812.1814",
        "server": "0042",
        "type_interaction": "outbound_ma",
        "date": "20260118201332",
        "telephone": "573005550123",
        "customer_id": "1000000001",
        "hit": "VENTA EFECTIVA",
        "occurred_at": "2026-01-18T20:13:32-05:00",
        "observed_at": OBSERVED,
    }
    return cast("Hit", usual | changed)


def a_change(**changed: Any) -> HitChanged:
    """The usual hit, ten minutes later corrected; with some fields changed as in `a_hit`."""
    corrected = {"hit": "PROMESA DE PAGO", "observed_at": LATER, "first_observed_at": OBSERVED}
    return cast("HitChanged", a_hit(**(corrected | changed)))


def a_dead_row(row: Any = None, *, reason: Reason = Reason.CONN_ID_MISSING, pointer: str = "/conn_id") -> DeadRow:
    """A row without an id, by default."""
    return DeadRow("9f86d081884c7d65", reason, pointer, {"hit": "VENTA EFECTIVA"} if row is None else row)


def a_gap(*, start: float = 1_768_785_240.25, kind: GapKind = GapKind.UNPOLLED) -> Gap:
    """A quarter of an hour that nobody saw, by default."""
    return Gap("0042", start, start + 900, kind, certain=False)


def a_recovery(*, start: float = 1_768_785_240.25) -> GapRecovered:
    """The usual gap healed: of 120 hits 3 had been told, by default."""
    return GapRecovered("0042", start, start + 900, Method.HISTORY, found=120, published=117, already_told=3)


texts = st.text(st.characters(exclude_categories=["Cs"]))
zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
integers = st.integers(-(2**63), 2**64 - 1)
"""What orjson reads as integers; it writes nothing beyond, and reads it as a float."""
json_values = st.recursive(
    st.none() | st.booleans() | integers | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(texts, below, max_size=3),
    max_leaves=8,
)


hits = st.builds(
    lambda extra, **fields: cast("Hit", fields | ({"extra": extra} if extra else {})),
    conn_id=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256),
    server=st.from_regex(r"\A[0-9]{4}\Z"),
    type_interaction=st.none() | texts,
    date=st.none() | texts,
    telephone=st.none() | texts,
    customer_id=st.none() | texts,
    hit=st.none() | texts,
    occurred_at=st.none() | st.datetimes(timezones=zones).map(lambda moment: moment.isoformat()),
    observed_at=st.floats(0, 2**33).map(rfc3339),
    extra=st.dictionaries(texts, json_values, max_size=3),
)

changes = st.builds(
    lambda hit, first: cast("HitChanged", {**hit, "first_observed_at": rfc3339(first)}), hits, st.floats(0, 2**33)
)
