from __future__ import annotations

import gc
import math
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.values import Number
from producer.wolkvox.parsing import MAX_CONTAINERS, MAX_FIELDS, MAX_VALUES, Unreadable, strict, tolerant


def plain(value: Any) -> Any:
    """The value with each `Number` as the strict parser reads it."""
    if isinstance(value, Number):
        return value.value()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "digits",
    ["0", "-0", "-0.0", "6736.10", "1E5", "1e-7", "123456789012345678901", "18446744073709551615",
     "18446744073709551616", "-9223372036854775808", "-9223372036854775809", "0.1000000000000000055511151231257827"],
)  # fmt: skip
def test_a_number_keeps_its_digits_and_its_value(digits: str) -> None:
    [number] = tolerant(f"[{digits}]".encode())
    [value] = strict(f"[{digits}]".encode())
    assert number.digits == digits
    assert (type(number.value()), number.value()) == (type(value), value)


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_both_parsers_agree_on_each_number(number: float) -> None:
    body = f"[{number!r}]".encode()
    assert plain(tolerant(body)) == strict(body) or math.isinf(float(number))


def test_a_number_beyond_floats_is_none() -> None:
    assert Number("1e400").value() is None
    assert Number("9" * 5_000).value() is None


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'["\xff\xfe"]', ["\ufffd\ufffd"]),
        (b'["\xed\xa0\x80"]', ["\ufffd\ufffd\ufffd"]),
        (b"[NaN, Infinity, -Infinity]", [None, None, None]),
        (b'["\\ud800"]', ["\ud800"]),
        (b'["\\ud83d\\ude00"]', ["\U0001f600"]),
        (b'["a\nb\x00"]', ["a\nb\x00"]),
        (b'\xef\xbb\xbf["a"]', ["a"]),
        (b'[{"a": 1, "a": "last"}]', [{"a": "last"}]),
    ],
)
def test_the_tolerant_parser_saves_what_it_can(body: bytes, value: Any) -> None:
    assert tolerant(body) == value


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "an empty body"),
        (b" \r\n", "an empty body"),
        (b"\n<!DOCTYPE html><html>", "HTML"),
        (b'{"data": [{"conn_id": "1"', "truncated or broken JSON"),
        (b'{"data": []} trailing', "truncated or broken JSON"),
        (b"[" * 100_000, "JSON nested too deep"),
        (b'{"a":' * 100_000, "JSON nested too deep"),
        (b"[" + b"[]," * MAX_CONTAINERS + b"[]]", "more values"),
        (b"[" + b"1," * (MAX_VALUES + 1) + b"1]", "more values"),
        (b"{" + b'"":0,' * MAX_FIELDS + b'"":0}', "more values"),
    ],
)
def test_what_no_parser_can_read_is_named(body: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says) as caught:
        tolerant(body)
    assert caught.value.__context__ is None
    with pytest.raises(Unreadable) as caught:
        strict(body)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("parse", [strict, tolerant])
def test_the_collector_rests_while_a_parser_works_and_is_as_it_was_after(parse: Callable[[bytes], Any]) -> None:
    searches: list[str] = []
    body = b"[" + b"[]," * 20_000 + b"[]]"

    def note(phase: str, _info: dict[str, int]) -> None:
        searches.append(phase)

    gc.collect()
    gc.callbacks.append(note)
    try:
        kept = parse(body)
        during = len(searches)
    finally:
        gc.callbacks.remove(note)
    assert (len(kept), gc.isenabled()) == (20_001, True)
    assert during <= 2, "more than the start and stop of one search, when the parser is done"
    gc.disable()
    try:
        parse(body)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_digits_without_end_are_no_trouble() -> None:
    with pytest.raises(Unreadable):
        strict(b"[" + b"1" * 1_000_000 + b"]")
    [number] = tolerant(b"[" + b"1" * 1_000_000 + b"]")
    assert number.digits == "1" * 1_000_000
    assert number.value() is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_both_parsers_read_plain_json_alike(value: Any) -> None:
    body = orjson.dumps(value)
    assert plain(tolerant(body)) == strict(body) == value
