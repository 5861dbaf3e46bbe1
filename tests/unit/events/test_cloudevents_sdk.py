"""The official CloudEvents SDK for Python reads what we send."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event, to_binary_event
from hypothesis import given

from producer.events import Events, Record
from producer.model import Hit
from tests.unit.events.samples import LATER, LIMIT, OBSERVED, a_change, a_dead_row, a_gap, a_hit, hits


def read(record: Record) -> BaseCloudEvent:
    return from_kafka_event(KafkaMessage(headers=dict(record.headers), key=record.key, value=record.value))


def sent(hit: Hit) -> Record:
    record = Events(server=hit["server"]).hit(hit, limit=LIMIT)
    assert isinstance(record, Record)
    return record


def test_a_hit_is_read_with_all_its_attributes() -> None:
    event = read(sent(a_hit()))
    assert event.get_specversion() == "1.0"
    assert event.get_type() == "wolkvox.hit"
    assert event.get_source() == "/wolkvox/0042/hits_last_hour"
    assert event.get_id() == "0042/6736.4628.1040.1768782812.1814"
    assert event.get_subject() == "6736.4628.1040.1768782812.1814"
    assert event.get_time() == datetime(2026, 1, 19, 1, 14, 0, 123456, tzinfo=UTC)
    assert event.get_dataschema() == "urn:wolkvox-hits:schema:hit:1.0.0"
    assert event.get_datacontenttype() == "application/json"
    assert event.get_data() == a_hit()


@given(hit=hits)
def test_any_hit_is_read_back_with_its_id(hit: Hit) -> None:
    event = read(sent(hit))
    assert event.get_id() == f"{hit['server']}/{hit['conn_id']}"
    assert event.get_subject() == hit["conn_id"]
    assert event.get_data() == hit


def test_a_change_is_read_with_the_moment_in_its_id() -> None:
    record = Events(server="0042").change(a_change(), limit=LIMIT)
    assert isinstance(record, Record)
    event = read(record)
    assert (event.get_type(), event.get_subject()) == ("wolkvox.hit-changed", a_change()["conn_id"])
    assert event.get_id() == f"0042/{a_change()['conn_id']}/{LATER}"
    assert event.get_data() == a_change()


def test_a_dead_letter_and_a_gap_are_read_too() -> None:
    events = Events(server="0042")
    dead = read(events.dead_letter(a_dead_row(), observed_at=OBSERVED, limit=LIMIT))
    gap = read(events.coverage_gap(a_gap(), observed_at=OBSERVED))
    assert (dead.get_type(), dead.get_id()) == ("wolkvox.dead-letter", "0042/9f86d081884c7d65")
    assert (gap.get_type(), gap.get_id()) == (
        "wolkvox.coverage-gap",
        "0042/unpolled/2026-01-19T01:14:00.250000Z",
    )
    assert dead.get_data() == json.loads(events.dead_letter(a_dead_row(), observed_at=OBSERVED, limit=LIMIT).value)


def test_the_sdk_would_have_sent_the_same_headers() -> None:
    record = sent(a_hit())
    theirs: dict[str, Any] = dict(to_binary_event(read(record)).headers)
    assert theirs.pop("ce_partitionkey") == record.key  # which the SDK adds for the key
    assert theirs == dict(record.headers)
