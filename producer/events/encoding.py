"""JSON bytes for whatever a row can hold, and rows cut to a size.

orjson refuses three things that a row may contain: integers beyond 64 bits, lone surrogates and nesting beyond 254
levels. The first is written by the standard library; for the others the caller decides.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

WIDEST = 6
"""Bytes that one character takes in JSON at most: a control character as `\\u001f`."""


class NotEncodable(ValueError):
    """The value holds a lone surrogate, a number that is none, or nesting too deep for any encoder."""


def encode(value: Any) -> bytes:
    """JSON in UTF-8, exactly the value; raises NotEncodable."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        try:
            return _text(value).encode()
        except (ValueError, TypeError, RecursionError):
            # No chain: an encoding error carries the text, and that may be a telephone.
            raise NotEncodable("a lone surrogate, or nested too deep") from None


def encode_leniently(value: Any) -> bytes:
    """As `encode`, with lone surrogates as U+FFFD; raises NotEncodable only for nesting too deep."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        try:
            return scrub(_text(value)).encode()
        except (ValueError, TypeError, RecursionError):
            raise NotEncodable("nested too deep") from None


def scrub(text: str) -> str:
    """The text with each lone surrogate as U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def trim(row: Any, *, budget: int) -> Any:
    """As much of `row` as fits into `budget` bytes of JSON.

    An object keeps its small fields and the beginning of its large ones; anything else, and an object of too many
    fields, becomes the beginning of its JSON text.
    """
    if isinstance(row, dict) and row:
        share = budget // len(row)
        fields = {
            name: _within(value, size=share - len(encode_leniently(name)) - len(":,{}")) for name, value in row.items()
        }
        if _size(fields) <= budget:
            return fields
    return _beginning(row, size=budget)


def _within(value: Any, *, size: int) -> Any:
    return value if _size(value) <= size else _beginning(value, size=size)


def _size(value: Any) -> float:
    try:
        return len(encode_leniently(value))
    except NotEncodable:
        return float("inf")


def _beginning(value: Any, *, size: int) -> str:
    room = max(0, size - len('""')) // WIDEST
    pieces: list[str] = []
    chunks = iter([value]) if isinstance(value, str) else _encoder.iterencode(value)
    try:
        while room > 0 and (chunk := next(chunks, None)) is not None:
            pieces.append(chunk[:room])
            room -= len(chunk)
    except RecursionError:
        pass  # what was written before the nesting got too deep is the beginning
    return scrub("".join(pieces))


def _text(value: Any) -> str:
    return _encoder.encode(value)


_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
