"""A row that can't be an event, made fit to be kept."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from hashlib import sha256
from types import NoneType
from typing import Any

import orjson

from producer.model import DeadRow, Reason
from producer.wolkvox.parsing import Number

_SURROGATES = re.compile("[\ud800-\udfff]")
_DEEPEST = 100
"""Levels of nesting that are kept; orjson writes 254, and a dead letter needs some of its own."""

Numeral = Callable[[float], float | None]


def dead_row(row: Any, reason: Reason, pointer: str) -> DeadRow:
    """The row as a dead letter: plain JSON as it was sent, except lone surrogates, which become U+FFFD.

    `key` is 32 hex digits of a SHA-256 over the content with keys sorted and numbers as floats, so that it does not
    depend on which parser read the row. `pointer` is a JSON pointer into the row.
    """
    content = _content_of_texts(row)
    kept = _plain(row, _as_sent) if content is None else row
    content = content or orjson.dumps(_plain(row, _as_float), option=orjson.OPT_SORT_KEYS)
    return DeadRow(sha256(content).hexdigest()[:32], reason, encodable(pointer), kept)


def encodable(text: str) -> str:
    """The text with U+FFFD in the place of each lone surrogate."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def field_pointer(name: str) -> str:
    """The JSON pointer (RFC 6901) to a field of a row."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _content_of_texts(row: Any) -> bytes | None:
    """The same bytes for a row of nothing but texts, at a third of the price: a report may be full of dead rows."""
    if not isinstance(row, dict) or not set(map(type, row.values())) <= {str, NoneType}:
        return None
    try:
        return orjson.dumps(row, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return None


def _plain(value: Any, numeral: Numeral, depth: int = 0) -> Any:
    if isinstance(value, str):
        return encodable(value)
    if value is None or isinstance(value, bool):
        return value
    if depth > _DEEPEST:
        return "(nested deeper)"
    if isinstance(value, dict):
        return {encodable(key): _plain(inner, numeral, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, numeral, depth + 1) for inner in value]
    number = value.value() if isinstance(value, Number) else value
    return None if number is None else numeral(number)


def _as_float(number: float) -> float | None:
    # Zero is added because -0 and 0 are one number and two texts.
    return float(number) + 0.0 if math.isfinite(number) else None


def _as_sent(number: float) -> float | None:
    return number if math.isfinite(number) else None
