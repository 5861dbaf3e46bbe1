"""A row that can't be an event, made fit to be kept."""

from __future__ import annotations

import json
import math
import re
from hashlib import sha256
from types import NoneType
from typing import Any

import orjson

from producer.model import DeadRow, Reason

_SURROGATES = re.compile("[\ud800-\udfff]")
_DEEPEST = 100
"""Levels of nesting that are kept where orjson gives up; it writes 254, and a dead letter needs some of its own."""

_FLOATS_WITHIN = 64 * 1024
"""Bytes of a row up to which its numbers are hashed as floats. One row of five million integers took 2.8 s; beyond
this size they are hashed as they are, and `Number.value` sees to it that both parsers agree on that as well."""


class Number:
    """A JSON number as it was written: `6736.10` stays so, 21 digits stay so."""

    __slots__ = ("digits",)

    def __init__(self, digits: str) -> None:
        self.digits = digits

    def __repr__(self) -> str:
        return f"Number({self.digits!r})"

    def value(self) -> int | float | None:
        """The number as the strict parser would read it: an integer within 64 bits, else a float; None if infinite."""
        if len(self.digits) <= 20 and not set(self.digits) & {".", "e", "E"}:
            whole = int(self.digits)
            if -(2**63) <= whole < 2**64:
                return whole
        parsed = float(self.digits)
        return parsed if math.isfinite(parsed) else None


def as_value(odd: object) -> Any:
    """What orjson shall write for a `Number`: its `default`."""
    if isinstance(odd, Number):
        return odd.value()
    raise TypeError


def as_sent(odd: object) -> orjson.Fragment:
    """What orjson shall write for a `Number` to keep its digits: its `default`; null for what is beyond floats."""
    if isinstance(odd, Number):
        return orjson.Fragment("null" if odd.value() is None else odd.digits)
    raise TypeError


def dead_row(row: Any, reason: Reason, pointer: str) -> DeadRow:
    """The row as a dead letter: as it was sent, but for lone surrogates, which become U+FFFD, and endless nesting.

    `key` is that of its content, `pointer` a JSON pointer into the row.
    """
    kept, content = _as_texts(row) or _as_json(row)
    return DeadRow(_hashed(content), reason, encodable(pointer), kept)


def content_key(row: Any) -> str:
    """32 hex digits of a SHA-256 over a row's content with keys sorted and numbers as floats.

    It does not depend on which parser read the row.
    """
    _, content = _as_texts(row) or _as_json(row)
    return _hashed(content)


def encodable(text: str) -> str:
    """The text with U+FFFD in the place of each lone surrogate."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def field_pointer(name: str) -> str:
    """The JSON pointer (RFC 6901) to a field of a row."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _as_texts(row: Any) -> tuple[Any, bytes] | None:
    """What `_as_json` makes of a row with nothing but texts, at a fifth of its price: a report may be full of them."""
    if not isinstance(row, dict) or not set(map(type, row.values())) <= {str, NoneType}:
        return None
    try:
        return row, orjson.dumps({"row": row}, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return None


def _as_json(row: Any) -> tuple[Any, bytes]:
    """The row as it is kept, and the content that is hashed."""
    try:
        text = _dumps(row)
    except orjson.JSONEncodeError:
        row = _plain(row)
        text = _dumps(row)
    content = json.loads(text, parse_int=float) if len(text) <= _FLOATS_WITHIN else {"row": row}
    return row, orjson.dumps(content, default=as_value, option=orjson.OPT_SORT_KEYS)


def _dumps(row: Any) -> bytes:
    return orjson.dumps({"row": row}, default=as_value)  # at the depth that it has in a dead letter


def _hashed(content: bytes) -> str:
    return sha256(content).hexdigest()[:32]


def _plain(value: Any, depth: int = 0) -> Any:
    """The value without what orjson refuses: lone surrogates and nesting that is too deep."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict | list) and depth > _DEEPEST:
        return "(nested deeper)"
    if isinstance(value, dict):
        return {encodable(key): _plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, depth + 1) for inner in value]
    return value
