"""JSON bytes for whatever a row can hold, and rows cut to a size.

orjson refuses three things that a row may contain: integers beyond 64 bits, lone surrogates and nesting beyond 254
levels. The first is written by the standard library; for the others the caller decides.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from producer.values import encodable

WIDEST = 6
"""Bytes that one character takes in JSON at most: a control character as `\\u001f`."""


class NotEncodable(ValueError):
    """The value holds a lone surrogate, a number that is none, or nesting too deep for any encoder."""


_slow = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def exactly(value: Any) -> bytes:
    """The value as it is; raises NotEncodable."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        try:
            return _slow.encode(value).encode()
        except (ValueError, TypeError, RecursionError):
            # No chain: an encoding error carries the text, and that may be a telephone.
            raise NotEncodable("a lone surrogate, or nested too deep") from None


def leniently(value: Any) -> bytes:
    """The value with lone surrogates as U+FFFD; raises NotEncodable only for nesting too deep."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        try:
            return encodable(_slow.encode(value)).encode()
        except (ValueError, TypeError, RecursionError):
            raise NotEncodable("nested too deep") from None


def trim(row: Any, *, budget: int) -> Any:
    """As much of `row` as fits into `budget` bytes of JSON.

    An object keeps its small fields and the beginning of its large ones; anything else, and an object of too many
    fields, becomes the beginning of its JSON text.
    """
    if isinstance(row, dict) and row:
        share = budget // len(row)
        fields = {name: _within(value, size=share - len(leniently(name)) - len(":,{}")) for name, value in row.items()}
        if len(leniently(fields)) <= budget:
            return fields
    return _beginning(row, size=budget)


def _within(value: Any, *, size: int) -> Any:
    try:
        if len(leniently(value)) <= size:
            return value
    except NotEncodable:
        pass
    return _beginning(value, size=size)


def _beginning(value: Any, *, size: int) -> str:
    room = max(0, size - len('""')) // WIDEST
    chunks = iter([value]) if isinstance(value, str) else _slow.iterencode(value)
    pieces: list[str] = []
    try:
        while room > 0 and (chunk := next(chunks, None)) is not None:
            pieces.append(chunk[:room])
            room -= len(chunk)
    except (ValueError, TypeError, RecursionError):
        pass  # what was written before the trouble is the beginning
    return encodable("".join(pieces))
