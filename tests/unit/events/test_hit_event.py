"""What a consumer in Python gets from a record."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from producer.events import Events, HitChangedEvent, HitEvent, NotAHit, Record
from producer.frame import frame
from producer.model import Hit, HitChanged
from tests.unit.events.samples import LIMIT, OBSERVED, a_change, a_dead_row, a_gap, a_hit, changes, hits


def sent(hit: Hit | None = None) -> Record:
    record = Events(server="0042").hit(hit or a_hit(), limit=LIMIT)
    assert isinstance(record, Record)
    return record


def sent_change(changed: HitChanged | None = None) -> Record:
    record = Events(server=(changed or a_change())["server"]).change(changed or a_change(), limit=LIMIT)
    assert isinstance(record, Record)
    return record


def decoded(**changed: Any) -> HitEvent:
    """A usual hit decoded, after a change to its value that our writer would not make."""
    record = sent()
    return HitEvent.decode(json.dumps({**json.loads(record.value), **changed}).encode(), record.headers)


def test_a_record_decodes_into_typed_fields() -> None:
    record = sent(a_hit(extra={"agent_id": "2204"}))
    event = HitEvent.decode(record.value, record.headers)
    assert event.id == "0042/6736.4628.1040.1768782812.1814"
    assert event.source == "/wolkvox/0042/hits_last_hour"
    assert event.dataschema == "urn:wolkvox-hits:schema:hit:1.0.0"
    assert event.occurred_at == datetime(2026, 1, 19, 1, 13, 32, tzinfo=UTC)
    assert event.observed_at == datetime(2026, 1, 19, 1, 14, 0, 123456, tzinfo=UTC)
    assert (event.server, event.hit, event.telephone) == ("0042", "VENTA EFECTIVA", "573005550123")
    assert event.extra == {"agent_id": "2204"}


def test_a_value_in_a_registrys_frame_decodes_as_one_without() -> None:
    hit, change = sent(), sent_change()
    assert HitEvent.decode(frame(7) + hit.value, hit.headers) == HitEvent.decode(hit.value, hit.headers)
    assert HitChangedEvent.decode(frame(7) + change.value, change.headers).hit == a_change()["hit"]


@pytest.mark.parametrize("value", [b"\0", b"\0\0\0\0", frame(7), frame(7) + frame(7) + b"{}"])
def test_a_frame_without_a_value_in_it_is_not_a_hit(value: bytes) -> None:
    with pytest.raises(NotAHit, match="not JSON"):
        HitEvent.decode(value, sent().headers)


@given(hit=hits)
def test_every_hit_that_is_sent_decodes_back(hit: Hit) -> None:
    record = Events(server=hit["server"]).hit(hit, limit=LIMIT)
    assert isinstance(record, Record)
    event = HitEvent.decode(record.value, record.headers)
    for name in ("conn_id", "server", "type_interaction", "date", "telephone", "customer_id", "hit"):
        assert getattr(event, name) == hit.get(name)
    assert event.extra == hit.get("extra", {})
    assert event.observed_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") == hit["observed_at"]
    assert (event.occurred_at.isoformat() if event.occurred_at else None) == hit["occurred_at"]
    assert event.id == f"{hit['server']}/{hit['conn_id']}"


def test_a_change_decodes_into_the_hit_as_it_is_now_and_when_it_was_first_shown() -> None:
    record = sent_change()
    event = HitChangedEvent.decode(record.value, record.headers)
    assert event.id == "0042/6736.4628.1040.1768782812.1814/2026-01-19T01:24:00.654321Z"
    assert (event.conn_id, event.hit) == (a_hit()["conn_id"], "PROMESA DE PAGO")
    assert event.first_observed_at == datetime(2026, 1, 19, 1, 14, 0, 123456, tzinfo=UTC)
    assert event.observed_at == datetime(2026, 1, 19, 1, 24, 0, 654321, tzinfo=UTC)
    assert "573005550123" not in repr(event)


@given(changed=changes)
def test_every_change_that_is_sent_decodes_back(changed: HitChanged) -> None:
    event = HitChangedEvent.decode(*sent_change(changed)[2:])
    for name in ("conn_id", "server", "type_interaction", "date", "telephone", "customer_id", "hit"):
        assert getattr(event, name) == changed.get(name)
    assert event.first_observed_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") == changed["first_observed_at"]


def test_a_hit_is_no_change_and_a_change_no_hit() -> None:
    """Else whoever reads both topics would act on a correction as on a new hit."""
    with pytest.raises(NotAHit, match=r"ce_type is not wolkvox\.hit$"):
        HitEvent.decode(*sent_change()[2:])
    with pytest.raises(NotAHit, match=r"ce_type is not wolkvox\.hit-changed"):
        HitChangedEvent.decode(*sent()[2:])


@pytest.mark.parametrize(
    ("first", "complaint"), [(None, "first_observed_at is not a text"), ("soon", "first_observed_at is not RFC 3339")]
)
def test_a_change_without_its_beginning_is_none(first: str | None, complaint: str) -> None:
    record = sent_change()
    value = json.dumps({**json.loads(record.value), "first_observed_at": first}).encode()
    with pytest.raises(NotAHit, match=complaint):
        HitChangedEvent.decode(value, record.headers)


def test_fields_and_headers_of_later_versions_are_ignored() -> None:
    record = sent()
    value = json.dumps({**json.loads(record.value), "campaign": "7"}).encode()
    later = [(name, data.replace(b"1.0.0", b"1.7.2")) for name, data in record.headers] + [("ce_new", b"\x31")]
    assert HitEvent.decode(value, later).conn_id == a_hit()["conn_id"]


def test_somebody_elses_header_may_be_anything() -> None:
    """As of a tracing agent or a proxy on the way."""
    for record, kind in ((sent(), HitEvent), (sent_change(), HitChangedEvent)):
        headers = [*record.headers, ("trace", b"\xff\x00"), ("span", None)]
        assert kind.decode(record.value, headers) == kind.decode(record.value, record.headers)


def test_null_stays_none_and_absent_extra_is_empty() -> None:
    event = decoded(telephone=None, occurred_at=None)
    assert event.telephone is None
    assert event.occurred_at is None
    assert event.extra == {}


def test_a_dead_letter_and_a_gap_are_no_hits() -> None:
    events = Events(server="0042")
    dead = events.dead_letter(a_dead_row(), observed_at=OBSERVED, limit=LIMIT)
    for record in (dead, events.coverage_gap(a_gap(), observed_at=OBSERVED)):
        with pytest.raises(NotAHit, match=r"ce_type is not wolkvox\.hit"):
            HitEvent.decode(record.value, record.headers)


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b"null", b'"text"', b"\xff"])
def test_a_value_that_is_no_object_is_no_hit(value: bytes | None) -> None:
    with pytest.raises(NotAHit, match="the value is not"):
        HitEvent.decode(value, sent().headers)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("ce_type", None, "no header ce_type"),
        ("ce_id", None, "no header ce_id"),
        ("ce_source", None, "no header ce_source"),
        ("ce_dataschema", b"", "no header ce_dataschema"),
        ("ce_dataschema", b"urn:wolkvox-hits:schema:hit:2.0.0", "does not start with urn:wolkvox-hits:schema:hit:1"),
        ("ce_id", b"\xff", "not UTF-8"),
    ],
)
def test_headers_that_are_not_those_of_a_hit_are_named(name: str, value: bytes | None, complaint: str) -> None:
    headers: list[tuple[str, bytes | None]] = [(name, value), *(each for each in sent().headers if each[0] != name)]
    with pytest.raises(NotAHit, match=complaint) as caught:
        HitEvent.decode(sent().value, headers)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_record_without_headers_is_no_hit() -> None:
    with pytest.raises(NotAHit, match="no header ce_type"):
        HitEvent.decode(sent().value, None)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"conn_id": 190000001}, "conn_id is not a text"),
        ({"telephone": 573005550123}, "telephone is not a text"),
        ({"observed_at": None}, "observed_at is not a text"),
        ({"observed_at": "573005550123"}, "observed_at is not RFC 3339"),
        ({"occurred_at": "2026-01-18T20:13:32"}, "occurred_at has no zone"),
        ({"extra": ["573005550123"]}, "extra is not an object"),
    ],
)
def test_a_wrong_field_is_named_and_its_value_is_not(changed: dict[str, Any], complaint: str) -> None:
    with pytest.raises(NotAHit, match=complaint) as caught:
        decoded(**changed)
    assert "573005550123" not in "".join(traceback.format_exception(caught.value, limit=0))


def test_an_event_can_be_logged_without_personal_data() -> None:
    shown = repr(decoded(extra={"phone2": "573005550124"}))
    assert "190" in repr(decoded(conn_id="190000001"))
    assert not [secret for secret in ("573005550123", "1000000001", "573005550124") if secret in shown]


def test_an_event_is_frozen_and_can_be_remembered_in_a_set() -> None:
    event = decoded(extra={"agent_id": "2204"})
    assert len({event, decoded(extra={"agent_id": "2205"})}) == 2
    assert len({event, decoded(extra={"agent_id": "2204"})}) == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.hit = "other"  # type: ignore[misc]  # the point of the test


def test_reading_events_loads_neither_an_http_nor_a_kafka_client() -> None:
    code = "import sys; from producer.events import HitEvent; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "producer.events" in loaded
    assert not {"httpx", "aiokafka", "asyncio", "structlog", "pydantic"} & set(loaded)
