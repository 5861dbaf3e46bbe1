"""A hit becomes a record, or a refusal that says why and where."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given

from producer.events import Events, Record, Refusal, size
from producer.model import Hit, Reason
from tests.unit.events.samples import LIMIT, OBSERVED, a_dead_row, a_gap, a_hit, hits


def record_of(hit: Hit, *, limit: int = LIMIT) -> Record:
    record = Events(server="0042").hit(hit, limit=limit)
    assert isinstance(record, Record)
    series = Events(server="0042").together([hit, hit], limit=limit)
    assert series is None or list(series.records()) == [record, record]
    return record


def refusal_of(hit: Hit, *, limit: int = LIMIT) -> Refusal:
    refusal = Events(server="0042").hit(hit, limit=limit)
    assert isinstance(refusal, Refusal)
    assert Events(server="0042").together([a_hit(), hit], limit=limit) is None
    return refusal


def bytes_in_a_batch(record: Record) -> int:
    """What aiokafka makes of the record alone, at the largest timestamp."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=True,
        producer_id=2**63 - 1,
        producer_epoch=2**15 - 1,
        base_sequence=0,
        batch_size=16 * LIMIT,
    )
    builder.append(0, timestamp=2**40, key=record.key, value=record.value, headers=record.headers)
    return len(builder.build())


def test_the_value_is_the_hit_as_json_and_the_key_its_id() -> None:
    record = record_of(a_hit())
    assert json.loads(record.value) == a_hit()
    assert record.key == b"6736.4628.1040.1768782812.1814"


def test_the_headers_are_those_of_the_contract() -> None:
    assert dict(record_of(a_hit()).headers) == {
        "ce_specversion": b"1.0",
        "ce_type": b"wolkvox.hit",
        "ce_source": b"/wolkvox/0042/hits_last_hour",
        "ce_id": b"0042/6736.4628.1040.1768782812.1814",
        "ce_time": OBSERVED.encode(),
        "ce_subject": b"6736.4628.1040.1768782812.1814",
        "ce_dataschema": b"urn:wolkvox-hits:schema:hit:1.0.0",
        "content-type": b"application/json",
    }


def test_each_hit_carries_the_time_of_its_own_snapshot() -> None:
    events = Events(server="0042")
    times = ["2026-01-19T01:14:00.000000Z", "2026-01-19T01:19:00.000000Z", "2026-01-19T01:14:00.000000Z"]
    records = [events.hit(a_hit(observed_at=time), limit=LIMIT) for time in times]
    assert [dict(record.headers)["ce_time"].decode() for record in records if isinstance(record, Record)] == times


def test_ordinary_hits_are_made_together() -> None:
    some = [a_hit(conn_id="a"), a_hit(conn_id="ñ", extra={"agent": None})]
    assert Events(server="0042").together(some, limit=LIMIT) is not None


@given(hit=hits)
def test_every_hit_that_keeps_to_the_schema_is_sent_as_it_is(hit: Hit) -> None:
    record = record_of(hit)
    assert json.loads(record.value) == hit
    assert dict(record.headers)["ce_subject"].decode() == hit["conn_id"]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"telephone": 573005550123}, "/telephone"),
        ({"conn_id": ""}, "/conn_id"),
        ({"conn_id": "7" * 257}, "/conn_id"),
        ({"occurred_at": "2026-01-18 20:13:32"}, "/date"),
        ({"observed_at": "now"}, ""),
        ({"server": "42"}, ""),
        ({"extra": ["no object"]}, ""),
        ({"undeclared": 1}, ""),
    ],
)
def test_a_hit_that_breaks_the_schema_is_refused_and_points_into_the_row(changed: dict[str, Any], pointer: str) -> None:
    assert refusal_of(a_hit(**changed)) == Refusal(Reason.SCHEMA, pointer)


def test_a_hit_that_lacks_a_field_is_refused() -> None:
    hit = {name: value for name, value in a_hit().items() if name != "hit"}
    assert refusal_of(hit) == Refusal(Reason.SCHEMA, "")  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"hit": "VENTA \ud83d"}, "/hit"),
        ({"conn_id": "19000\udc00"}, "/conn_id"),
        ({"extra": {"fine": 1, "a/b~c": ["\ud83d"]}}, "/a~1b~0c"),
        ({"extra": {"\ud83d": 1}}, "/\ufffd"),
        ({"extra": {"x" * 2000: "\ud83d"}}, ""),
        ({"extra": {"extra": "\ud83d"}}, ""),
    ],
)
def test_a_lone_surrogate_is_refused_and_pointed_at(changed: dict[str, Any], pointer: str) -> None:
    assert refusal_of(a_hit(**changed)) == Refusal(Reason.NOT_ENCODABLE, pointer)


def test_nesting_that_no_encoder_writes_is_refused() -> None:
    deep: Any = "bottom"
    for _ in range(100_000):
        deep = [deep]
    assert refusal_of(a_hit(extra={"deep": deep})) == Refusal(Reason.NOT_ENCODABLE, "/deep")


def test_a_sale_is_not_refused_for_an_integer_beyond_64_bits_beside_it() -> None:
    hit = a_hit(conn_id='quoted "id"', extra={"account": 10**40})
    record = record_of(hit)
    assert json.loads(record.value) == hit
    assert record.key == b'quoted "id"'


@pytest.mark.parametrize("length", [0, 1, 100, 3000, 100_000])
def test_a_hit_is_too_large_exactly_when_its_record_is(length: int) -> None:
    hit = a_hit(extra={"notes": "x" * length})
    record = record_of(hit)
    assert record_of(hit, limit=size(record)) == record
    assert refusal_of(hit, limit=size(record) - 1) == Refusal(Reason.TOO_LARGE, "")


def test_the_longest_id_leaves_room_for_the_rest() -> None:
    hit = a_hit(conn_id="🙂" * 256)
    record = record_of(hit)
    assert refusal_of(hit, limit=size(record) - 1).reason is Reason.TOO_LARGE


@given(hit=hits)
def test_the_size_is_never_less_than_what_the_broker_counts(hit: Hit) -> None:
    events = Events(server="0042")
    dead = events.dead_letter(a_dead_row(dict(hit)), observed_at=OBSERVED, limit=LIMIT)
    for record in (record_of(hit), dead, events.coverage_gap(a_gap(), observed_at=OBSERVED)):
        assert bytes_in_a_batch(record) <= size(record) < bytes_in_a_batch(record) + 120
