"""One row to one event's value."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.model import API_FIELDS, DeadRow, Reason
from producer.wolkvox.rows import identify
from tests.unit.wolkvox.calls import ROW
from tests.unit.wolkvox.snapshots import (
    OBSERVED,
    body_of,
    broken,
    dead_of,
    hit_of,
    read_all,
    read_one,
    snapshot_of,
    written,
)

FIELDS = API_FIELDS[1:]


def test_an_ordinary_row_is_its_fields_and_two_times() -> None:
    assert hit_of(ROW) == {
        **ROW,
        "server": "0042",
        "occurred_at": "2026-01-18T20:13:32-05:00",
        "observed_at": OBSERVED,
    }


@pytest.mark.parametrize("name", FIELDS)
def test_an_absent_or_null_field_is_null(name: str) -> None:
    without = {field: value for field, value in ROW.items() if field != name}
    assert hit_of(without) == hit_of(ROW | {name: None})
    assert hit_of(without)[name] is None  # type: ignore[literal-required]  # one of the fields
    assert list(hit_of(without)) == list(hit_of(ROW))


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("text", ["", " ", "x" * 300, "a\x00b", "línea\n", "\U0001f600", "NULL"])
def test_a_text_is_as_sent(name: str, text: str) -> None:
    assert hit_of(ROW | {name: text})[name] == text  # type: ignore[literal-required]  # one of the fields


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize(
    "digits", ["0", "5", "-7", "573001234567", "6736.10", "1E5", "123456789012345678901", "0.10", "1e400", "9" * 400]
)
def test_a_number_becomes_its_own_digits(name: str, digits: str) -> None:
    row = b'{"conn_id":"a","%b":%b}' % (name.encode(), digits.encode())
    assert hit_of(row)[name] == digits  # type: ignore[literal-required]  # one of the fields


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", [True, False, [], ["x"], {}, {"a": 1}])
def test_a_known_field_of_another_type_is_dead(name: str, value: object) -> None:
    dead = dead_of(ROW | {name: value})
    assert (dead.reason, dead.pointer, dead.row) == (Reason.FIELD_TYPE, f"/{name}", ROW | {name: value})


def test_a_row_of_nothing_but_numbers_is_a_hit_of_their_digits() -> None:
    digits = dict(zip(API_FIELDS, ("190000001", "2", "20260118201332", "573001234567", "1", "5"), strict=True))
    hit = hit_of({name: int(text) for name, text in digits.items()})
    assert hit == digits | {"server": "0042", "occurred_at": "2026-01-18T20:13:32-05:00", "observed_at": OBSERVED}


@pytest.mark.parametrize("value", [True, [], ["x"], {}])
@pytest.mark.parametrize("conn_id", [5, "a"])
def test_a_row_whose_fields_are_all_of_one_wrong_type_is_dead(conn_id: object, value: object) -> None:
    """Python adds up whatever is alike, and counts a boolean as a number."""
    dead = dead_of(dict.fromkeys(FIELDS, value) | {"conn_id": conn_id})
    assert (dead.reason, dead.pointer) == (Reason.FIELD_TYPE, "/type_interaction")


@pytest.mark.parametrize("name", [*FIELDS, "campaign"])
@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\ude00\ud83d"])
def test_a_lone_surrogate_is_dead_and_kept_as_a_replacement(name: str, text: str) -> None:
    dead = dead_of(ROW | {name: text})
    assert (dead.reason, dead.pointer) == (Reason.NOT_ENCODABLE, f"/{name}")
    assert "\ufffd" in dead.row[name]
    orjson.dumps(dead.row)


def test_a_surrogate_pair_is_one_letter() -> None:
    assert hit_of(b'{"conn_id":"a","hit":"\\ud83d\\ude00"}')["hit"] == "\U0001f600"


@pytest.mark.parametrize(
    ("extra", "pointer"),
    [
        ({"a/b~c": "\ud800"}, "/a~1b~0c"),
        ({"\ud800": 1}, "/\ufffd"),
        ({"fine": 1, "deep": {"list": ["\ud800"]}}, "/deep"),
    ],
)
def test_what_can_not_be_written_is_pointed_at(extra: dict[str, Any], pointer: str) -> None:
    dead = dead_of(ROW | extra)
    assert (dead.reason, dead.pointer) == (Reason.NOT_ENCODABLE, pointer)
    written(dead)


def test_further_fields_go_to_extra_and_stay_json() -> None:
    extra = {"campaign": "7", "talk": 12, "rate": 1.5, "tags": ["a", None], "nested": {"x": True}, "": None}
    assert hit_of(ROW | extra) == hit_of(ROW) | {"extra": extra}


def test_the_numbers_of_extra_do_not_depend_on_the_parser() -> None:
    row = b'{"conn_id":"a","telephone":5.10,"talk":12,"rate":1.50,"big":123456789012345678901,"nan":null}'
    hit = hit_of(row)
    assert hit["telephone"] == "5.10"
    assert hit["extra"] == {"talk": 12, "rate": 1.5, "big": 123456789012345680000.0, "nan": None}


def test_nan_in_a_row_is_null() -> None:
    hit = hit_of(b'{"conn_id":"a","telephone":NaN,"rate":-Infinity}')
    assert (hit["telephone"], hit["extra"]) == (None, {"rate": None})


def test_extra_is_there_only_if_needed() -> None:
    assert "extra" not in hit_of(ROW)
    assert "extra" not in hit_of(ROW | {"customer_id": None})


def test_the_last_of_a_repeated_key_counts() -> None:
    assert hit_of(b'{"conn_id":"a","hit":"first","hit":"last"}')["hit"] == "last"


@pytest.mark.parametrize("depth", [200, 600, 950])
def test_nesting_beyond_what_can_be_written_is_dead(depth: int) -> None:
    nested = b'{"conn_id":"a","deep":' + b"[" * depth + b"]" * depth + b"}"
    made = read_one(nested)
    if isinstance(made, DeadRow):
        assert (made.reason, made.pointer) == (Reason.NOT_ENCODABLE, "/deep")
        orjson.dumps({"row": made.row})
    else:
        orjson.dumps(made)
    assert isinstance(made, DeadRow) == (depth > 250)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


alike = st.sampled_from([st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.just([])])
"""What Python adds up as it adds up texts."""


@given(
    st.dictionaries(st.sampled_from([*FIELDS, "campaign", "a/b"]), values)
    | alike.flatmap(lambda kind: st.fixed_dictionaries({"conn_id": st.integers()} | dict.fromkeys(FIELDS, kind)))
)
def test_whatever_becomes_of_a_row_can_be_written_and_does_not_depend_on_the_parser(fields: dict[str, Any]) -> None:
    body = body_of({"conn_id": "a"} | fields)
    made = []
    for answer in (body, broken(body)):
        snapshot = snapshot_of(answer)
        reading = read_all(snapshot, identify(snapshot))
        made += [*reading.hits.values(), *reading.dead.values()]
    dead = [one for one in made if isinstance(one, DeadRow)]
    assert len({one.key for one in dead}) <= 1
    read = [written(one) if isinstance(one, DeadRow) else orjson.dumps(one) for one in made]
    assert read[0] == read[1]
