from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.model import Reason
from producer.values import dead_row
from producer.wolkvox.parsing import strict, tolerant
from tests.unit.wolkvox.calls import ROW
from tests.unit.wolkvox.snapshots import written


def key(row: Any) -> str:
    return dead_row(row, Reason.SCHEMA, "").key


def test_the_key_is_the_hash_of_the_content() -> None:
    assert len(key(ROW)) == 32
    assert set(key(ROW)) <= set("0123456789abcdef")
    assert key(ROW) == key(dict(reversed(ROW.items())))
    assert key(ROW) != key(ROW | {"hit": "x"})
    assert dead_row(ROW, Reason.TOO_LARGE, "/hit").key == key(ROW)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (5, 5.0),
        ({"a": 1, "b": [2, 3.0]}, {"b": [2.0, 3], "a": 1.0}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}),
    ],
)
def test_order_and_kind_of_number_do_not_change_the_key(one: Any, other: Any) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, "1"), (1, True), (0, False), (None, "null"), ([], {}), ({}, None), ("", None), ({"a": None}, {})],
)
def test_different_content_has_different_keys(one: Any, other: Any) -> None:
    assert key(one) != key(other)


def test_the_row_is_kept_as_sent() -> None:
    row = {"conn_id": None, "n": 5, "f": 1.5, "deep": [{"a": [True, None]}]}
    assert dead_row(row, Reason.SCHEMA, "").row == row


def test_surrogates_become_replacements_in_keys_and_values() -> None:
    dead = dead_row({"\ud800": ["a\udfff", {"x": "\ud83d\ude00"}]}, Reason.NOT_ENCODABLE, "/\ud800")
    assert dead.row == {"\ufffd": ["a\ufffd", {"x": "\ufffd\ufffd"}]}
    assert dead.pointer == "/\ufffd"


def test_nesting_without_end_is_cut() -> None:
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    dead = dead_row({"deep": deep}, Reason.NOT_ENCODABLE, "/deep")
    assert b"(nested deeper)" in orjson.dumps({"row": dead.row})
    assert len(dead.key) == 32


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_the_key_and_the_row_do_not_depend_on_the_parser(value: Any) -> None:
    body = json.dumps(value).encode()
    one, other = (dead_row(parse(body), Reason.SCHEMA, "") for parse in (strict, tolerant))
    assert (one.key, one.reason, one.pointer) == (other.key, other.reason, other.pointer)
    assert written(one) == written(other)


@pytest.mark.parametrize("depth", [90, 150, 300])
def test_the_key_of_a_deep_row_does_not_depend_on_the_parser(depth: int) -> None:
    body = b'{"n":1.50,"deep":' + b"[" * depth + b"]" * depth + b"}"
    assert key(strict(body)) == key(tolerant(body))


@pytest.mark.parametrize(
    ("row", "known"),
    [
        (b'{"conn_id":6736.10,"telephone":{"a":1},"hit":"S"}', "816dcfec5a871f243975b0a08082bd9c"),
        (
            b'{"conn_id":"a","customer_id":12345678901234567890123,"n":[5,-0.50,1E5]}',
            "9253fa8bc05f13c1b572ec6e0cdcf8d2",
        ),
        (b'{"conn_id":"","hit":"\xc3\xb3"}', "cc41a79e3a401b2e39996160180111a1"),
        (b"5", "d59f7fdd71907cc6dda9d9508204d9c6"),
        (b'{"a":1e400}', "ce3ef9fda0fd1aadf985d6132888294a"),
    ],
)
def test_a_key_stays_what_the_ledger_has_it_as(row: bytes, known: str) -> None:
    """From one release to the next: with another key a dead row would be told once more."""
    assert key(tolerant(row)) == known
    if b"1e400" not in row:  # the strict parser refuses it
        assert key(strict(row)) == known


@pytest.mark.parametrize("digits", ["-0", "-0.0", "1e400", "0.1", "1E2", "123456789012345678901", "9007199254740993"])
def test_the_key_of_a_number_does_not_depend_on_the_parser(digits: str) -> None:
    body = f'{{"a": "x", "n": {digits}}}'.encode()
    if digits != "1e400":  # the strict parser refuses it
        assert key(strict(body)) == key(tolerant(body))
    written(dead_row(tolerant(body), Reason.SCHEMA, ""))


def test_the_key_of_a_huge_row_does_not_depend_on_the_parser() -> None:
    body = b'{"numbers":[' + b",".join(b"%d,1.50" % number for number in range(10_000)) + b"]}"
    assert len(body) > 64 * 1024
    assert key(strict(body)) == key(tolerant(body))
