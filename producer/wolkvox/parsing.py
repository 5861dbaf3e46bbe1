"""Bytes to JSON values: a strict parser first, then a tolerant one, so that one broken row never costs its neighbours.

The tolerant parser keeps each number's own digits (`Number`), reads NaN and Infinity as null, bytes that are no UTF-8
as U+FFFD, and leaves lone surrogates as they are for the rows to judge.
"""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

from producer.garbage import collection_paused
from producer.values import Number

Body = bytes | bytearray

MAX_CONTAINERS = 500_000
"""Objects and lists in one answer; 60,000 rows need 60,002. A parser holds every thread while it works."""
MAX_VALUES = 5_000_000
"""Commas in one answer: 83 fields in each of 60,000 rows. Bounds memory where an answer is hundreds of megabytes."""
MAX_FIELDS = 500_000
"""Colons in an answer of few objects (`_FEW`): a million keys in one object took 0.5 s, in 10,000 objects 0.1 s."""
_FEW = 10_000
_STRETCH = 256 * 1024


class Unreadable(Exception):
    """No parser makes sense of the bytes; the text says what they look like and holds nothing of them."""


def _number(digits: str) -> Number:
    # A function of Python and not the class itself: only there can another thread take over, and ten megabytes of
    # numbers take longer than the event loop may stand still.
    return Number(digits)


DECODER: Final = json.JSONDecoder(
    parse_int=_number, parse_float=_number, parse_constant=lambda _name: None, strict=False
)


def strict(body: Body) -> Any:
    """The value of a body that is JSON by the letter; raises Unreadable."""
    check_plausible(body)
    try:
        with collection_paused():
            return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    raise Unreadable("broken JSON")  # out here, so that it does not drag the body along as its context


def tolerant(body: Body) -> Any:
    """The value of a body that is JSON at heart, its numbers as `Number`; raises Unreadable."""
    check_plausible(body)
    try:
        with collection_paused():
            return DECODER.decode(body.decode("utf-8-sig", "replace"))
    except RecursionError:
        problem = "JSON nested too deep"
    except ValueError:
        problem = "truncated or broken JSON"
    raise Unreadable(problem)


def row_of(text: bytes) -> dict[str, Any]:
    """The row whose fields a text holds, without the braces; raises orjson.JSONDecodeError if it is none."""
    row: dict[str, Any] = orjson.loads(b"{" + text + b"}")
    return row


def check_plausible(body: Body) -> None:
    """Raises Unreadable for what is no JSON at all, or holds more values than any report has."""
    if not body or body.isspace():
        raise Unreadable("an empty body")
    if body[:256].lstrip()[:1] == b"<":
        raise Unreadable("HTML")
    check_size(body)


def check_size(body: Body) -> None:
    """Raises Unreadable for what holds more values than any report has."""
    containers = body.count(b"[") + body.count(b"{")
    if (
        containers > MAX_CONTAINERS
        or (containers < _FEW and body.count(b":") > MAX_FIELDS)
        or _has_more_commas(body, MAX_VALUES)
    ):
        raise Unreadable("more values than 60,000 rows can have")


def _has_more_commas(body: Body, limit: int) -> bool:
    """Counted no further than it takes to know: there is a value between two of them, so at most every other byte."""
    found = 0
    for start in range(0, len(body), _STRETCH):
        if found + (len(body) - start) / 2 < limit:
            return False
        found += body.count(b",", start, start + _STRETCH)
    return found > limit
