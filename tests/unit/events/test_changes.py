"""A hit that changed becomes a record like a hit's, with an identity of its own for each change."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from producer.events import Events, Record, Refusal, size
from producer.model import HitChanged, Reason, Topic
from tests.unit.events.samples import LATER, LIMIT, a_change, a_hit, changes

EVENTS = Events(server="0042")


def record_of(changed: HitChanged, *, limit: int = LIMIT) -> Record:
    record = EVENTS.change(changed, limit=limit)
    assert isinstance(record, Record)
    return record


def test_it_goes_to_its_own_topic_under_the_hits_key() -> None:
    record = record_of(a_change())
    assert record.topic is Topic.CHANGES
    assert record.key == b"6736.4628.1040.1768782812.1814"
    assert json.loads(record.value) == a_change()


def test_the_headers_are_those_of_the_contract() -> None:
    assert dict(record_of(a_change()).headers) == {
        "ce_specversion": b"1.0",
        "ce_type": b"wolkvox.hit-changed",
        "ce_source": b"/wolkvox/0042/hits_last_hour",
        "ce_id": f"0042/6736.4628.1040.1768782812.1814/{LATER}".encode(),
        "ce_time": LATER.encode(),
        "ce_subject": b"6736.4628.1040.1768782812.1814",
        "ce_dataschema": b"urn:wolkvox-hits:schema:hit_changed:1.0.0",
        "content-type": b"application/json",
    }


@given(changed=changes)
def test_every_change_that_keeps_to_the_schema_is_sent_as_it_is(changed: HitChanged) -> None:
    record = record_of(changed)
    assert json.loads(record.value) == changed
    assert dict(record.headers)["ce_subject"].decode() == changed["conn_id"]


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"telephone": 573005550123}, Refusal(Reason.SCHEMA, "/telephone")),
        ({"first_observed_at": "now"}, Refusal(Reason.SCHEMA, "")),
        ({"hit": "VENTA \ud83d"}, Refusal(Reason.NOT_ENCODABLE, "/hit")),
        ({"extra": {"notes": "x" * LIMIT}}, Refusal(Reason.TOO_LARGE, "")),
    ],
)
def test_what_cant_be_sent_is_refused_as_a_hits_is(changed: dict[str, Any], refusal: Refusal) -> None:
    assert EVENTS.change(a_change(**changed), limit=LIMIT) == refusal


def test_a_hit_is_no_change_and_a_change_no_hit() -> None:
    assert EVENTS.change(a_hit(), limit=LIMIT) == Refusal(Reason.SCHEMA, "")  # type: ignore[arg-type]  # the point of the test
    assert EVENTS.hit(a_change(), limit=LIMIT) == Refusal(Reason.SCHEMA, "")


def test_the_longest_id_leaves_room_for_the_rest() -> None:
    changed = a_change(conn_id="\U0001f642" * 256)
    record = record_of(changed)
    assert EVENTS.change(changed, limit=size(record) - 1) == Refusal(Reason.TOO_LARGE, "")
