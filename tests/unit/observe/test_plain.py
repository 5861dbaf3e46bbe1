from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.errors import BadToken
from producer.observe.plain import TEXT_LIMIT, foreign, plain, text


@given(st.text())
def test_any_text_becomes_printable_and_short(value: str) -> None:
    made = text(value)
    assert made.isprintable()
    assert made.encode() is not None, "no lone surrogate"
    assert len(value) > TEXT_LIMIT or value.isprintable() is (made == value)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.binary(), st.lists))
def test_any_value_becomes_what_json_can_hold(value: object) -> None:
    json.dumps(plain(value), allow_nan=False)


def test_a_long_text_is_cut_and_shows_it() -> None:
    made = text("x" * 1000)
    assert len(made) == TEXT_LIMIT
    assert made.endswith("…")


def test_an_unknown_object_shows_its_type_only() -> None:
    assert plain({"row": object()}) == {"row": "object"}


def test_collections_stay_collections() -> None:
    assert plain({"shards": (1, 2), "servers": {"0043", "0042"}}) == {"shards": [1, 2], "servers": ["0042", "0043"]}


def test_an_error_of_ours_shows_its_text() -> None:
    assert plain(BadToken("the API does not accept the token")) == "the API does not accept the token"


def test_a_foreign_error_shows_its_type_and_place() -> None:
    with pytest.raises(ValueError, match="573001112233") as caught:
        int("573001112233x")
    assert str(plain(caught.value)).startswith("ValueError at test_plain.py:")


def test_long_numbers_of_libraries_are_masked() -> None:
    assert foreign("row 573001112233 at port 9092\nrow 2") == "row # at port 9092"
