"""A row that is no hit becomes one record that fits, whatever the row holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.events import BrokenContract, Events, Record, size
from producer.model import DeadRow, Reason
from tests.unit.events.samples import LIMIT, OBSERVED, a_dead_row, json_values

ANY_TEXT = st.text(st.characters(), max_size=40)
ANY_ROW = json_values | st.dictionaries(ANY_TEXT, json_values | ANY_TEXT | st.text(min_size=200), max_size=8)


def record_of(dead: DeadRow, *, limit: int = LIMIT) -> Record:
    return Events(server="0042").dead_letter(dead, observed_at=OBSERVED, limit=limit)


def nested(levels: int) -> Any:
    deep: Any = "bottom"
    for _ in range(levels):
        deep = {"deeper": deep}
    return deep


def test_the_value_says_what_was_wrong_and_holds_the_row() -> None:
    assert json.loads(record_of(a_dead_row()).value) == {
        "server": "0042",
        "observed_at": OBSERVED,
        "reason": "conn_id_missing",
        "pointer": "/conn_id",
        "row": {"hit": "VENTA EFECTIVA"},
    }


def test_the_key_is_the_hash_and_the_headers_are_those_of_the_contract() -> None:
    record = record_of(a_dead_row())
    assert record.key == b"9f86d081884c7d65"
    assert dict(record.headers) == {
        "ce_specversion": b"1.0",
        "ce_type": b"wolkvox.dead-letter",
        "ce_source": b"/wolkvox/0042/hits_last_hour",
        "ce_id": b"0042/9f86d081884c7d65",
        "ce_time": OBSERVED.encode(),
        "ce_subject": b"9f86d081884c7d65",
        "ce_dataschema": b"urn:wolkvox-hits:schema:dead_letter:1.0.0",
        "content-type": b"application/json",
    }


def test_no_header_and_no_key_holds_anything_of_the_row() -> None:
    row = {"conn_id": "", "telephone": "573005550123", "customer_id": "1000000001"}
    record = record_of(a_dead_row(row))
    shown = record.key + b"".join(value for _, value in record.headers)
    assert not [value for value in row.values() if value and value.encode() in shown]


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_one_of_the_schema(reason: Reason) -> None:
    assert json.loads(record_of(a_dead_row(reason=reason)).value)["reason"] == reason.value


def test_a_lone_surrogate_is_written_as_the_replacement_character() -> None:
    row = json.loads(record_of(a_dead_row({"hit": "VENTA \ud83d", "\udc00": "🙂"})).value)["row"]
    assert row == {"hit": "VENTA \ufffd", "\ufffd": "🙂"}


def test_an_integer_beyond_64_bits_keeps_its_digits() -> None:
    assert json.loads(record_of(a_dead_row({"hit": [10**40]})).value)["row"] == {"hit": [10**40]}


def test_a_row_that_just_fits_is_whole() -> None:
    dead = a_dead_row({"notes": "x" * 5000})
    record = record_of(dead)
    assert record_of(dead, limit=size(record)) == record
    assert json.loads(record_of(dead, limit=size(record) - 1).value)["trimmed"] is True


def test_a_row_too_large_keeps_its_small_fields_and_the_beginning_of_the_large() -> None:
    row = {"conn_id": "190000001", "hit": "VENTA EFECTIVA", "notes": "Buenas tardes " * 10_000, "turns": [1] * 50_000}
    sent = json.loads(record_of(a_dead_row(row, reason=Reason.TOO_LARGE, pointer=""), limit=20_000).value)
    assert sent["trimmed"] is True
    assert (sent["row"]["conn_id"], sent["row"]["hit"]) == ("190000001", "VENTA EFECTIVA")
    assert sent["row"]["notes"].startswith("Buenas tardes Buenas")
    assert sent["row"]["turns"].startswith("[1,1,1,")


LONG = st.sampled_from(["x", "\n", "\x00", '"', "ñ", "€", "🙂", "\ud83d", "a\\b "])


@given(letter=LONG, small=st.integers(0, 30), limit=st.integers(20_000, 60_000))
def test_what_is_cut_is_cut_no_further_than_the_limit(letter: str, small: int, limit: int) -> None:
    """What small fields leave of the room is the large ones', and a letter counts with the bytes that it takes."""
    notes = letter * 70_000
    fields = {f"field {number}": "x" for number in range(small)}
    for row in ({**fields, "notes": notes}, {"notes": notes, **fields, "turns": [letter] * 70_000}, notes, [notes]):
        record = record_of(a_dead_row(row, reason=Reason.TOO_LARGE, pointer=""), limit=limit)
        assert limit - 30 <= size(record) <= limit
        sent = json.loads(record.value)["row"]
        assert all(sent[name] == "x" for name in fields if isinstance(sent, dict))


def test_many_large_fields_share_the_room() -> None:
    row = {"conn_id": "190000001"} | {f"field {number}": "x" * 10_000 for number in range(20)}
    sent = json.loads(record_of(a_dead_row(row), limit=20_000).value)["row"]
    assert sent["conn_id"] == "190000001"
    assert len({len(sent[name]) for name in row if name != "conn_id"}) <= 2


def test_a_row_of_too_many_fields_becomes_the_beginning_of_its_text() -> None:
    row = {f"field {number}": "x" for number in range(10_000)}
    sent = json.loads(record_of(a_dead_row(row), limit=5000).value)
    assert sent["row"].startswith('{"field 0":"x","field 1":"x",')


@pytest.mark.parametrize("row", ["x" * 100_000, ["x" * 100_000], [["\x00"] * 50_000]])
def test_a_row_that_is_no_object_becomes_the_beginning_of_its_text(row: Any) -> None:
    record = record_of(a_dead_row(row, reason=Reason.NOT_AN_OBJECT), limit=5000)
    sent = json.loads(record.value)["row"]
    assert isinstance(sent, str)
    assert sent.strip('["').startswith(("xxx", "\\u0000"))


def test_nesting_that_no_encoder_writes_costs_only_the_deep_field() -> None:
    sent = json.loads(record_of(a_dead_row({"conn_id": "1", "deep": nested(100_000)})).value)
    assert sent["trimmed"] is True
    assert sent["row"]["conn_id"] == "1"
    assert sent["row"]["deep"].startswith('{"deeper":{"deeper":')


def test_nesting_beyond_the_fast_encoder_stays_whole() -> None:
    sent = json.loads(record_of(a_dead_row(nested(300))).value)
    assert sent["row"] == nested(300)
    assert "trimmed" not in sent


def test_a_pointer_that_is_a_text_of_its_own_is_left_out() -> None:
    assert json.loads(record_of(a_dead_row(pointer="/" + "x" * 100_000)).value)["pointer"] == ""


@given(row=ANY_ROW, limit=st.integers(1000, 3000))
def test_no_row_makes_a_record_over_the_limit(row: Any, limit: int) -> None:
    record = record_of(DeadRow("9f86d081884c7d65", Reason.TOO_LARGE, "", row), limit=limit)
    assert size(record) <= limit
    json.loads(record.value)


def test_a_dead_letter_that_breaks_its_own_schema_is_a_bug_told_without_the_row() -> None:
    with pytest.raises(BrokenContract, match=r"dead_letter breaks its own schema: format at /pointer") as caught:
        record_of(a_dead_row({"telephone": "573005550123"}, pointer="no pointer 573005550123"))
    assert "573005550123" not in str(caught.value)
