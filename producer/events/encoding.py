"""JSON bytes for whatever a row can hold, and rows cut to a size.

orjson refuses three things that a row may contain: integers beyond 64 bits, lone surrogates and nesting beyond 254
levels. The first is written by the standard library; for the others the caller decides.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from sys import maxsize
from typing import Any

import orjson

from producer.values import as_sent, as_value, encodable


class NotEncodable(ValueError):
    """The value holds a lone surrogate, a number that is none, or nesting too deep for any encoder."""


_slow = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=as_value)


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
    """The value with lone surrogates as U+FFFD, a `Number` in its digits; raises NotEncodable only for deep nesting."""
    try:
        return orjson.dumps(value, default=as_sent)
    except orjson.JSONEncodeError:
        try:
            return encodable(_slow.encode(value)).encode()
        except (ValueError, TypeError, RecursionError):
            raise NotEncodable("nested too deep") from None


def trim(row: Any, *, budget: int) -> Any:
    """As much of `row` as fits into `budget` bytes of JSON.

    An object keeps its small fields and the beginning of its large ones, which share what is left; anything else, and
    an object of too many fields, becomes the beginning of its JSON text.
    """
    if isinstance(row, dict) and row:
        fields = _shared(row, budget=budget - len("{}"))
        if len(leniently(fields)) <= budget:
            return fields
    return _beginning(row, size=budget)


def _shared(row: dict[str, Any], *, budget: int) -> dict[str, Any]:
    """Each field with at least its share of the bytes, the smallest first: what it does not need goes to the others."""
    frames = {name: len(leniently(name)) + len(":,") for name in row}
    sizes = {name: frames[name] + _size(value) for name, value in row.items()}
    fields = dict(row)
    for left, name in zip(range(len(row), 0, -1), sorted(row, key=sizes.__getitem__), strict=True):
        share = budget // left
        if sizes[name] > share:
            fields[name] = _beginning(row[name], size=share - frames[name])
        budget -= min(sizes[name], share)
    return fields


def _size(value: Any) -> int:
    try:
        return len(leniently(value))
    except NotEncodable:
        return maxsize


def _beginning(value: Any, *, size: int) -> str:
    """As much of a text, or of a value's JSON text, as is `size` bytes in JSON at most."""
    text = "".join(_letters(value, most=size))
    fitting = bisect_right(range(1, len(text) + 1), size, key=lambda letters: len(leniently(text[:letters])))
    return text[:fitting]


def _letters(value: Any, *, most: int) -> Iterator[str]:
    chunks = iter([value]) if isinstance(value, str) else _slow.iterencode(value)
    try:
        while most > 0 and (chunk := next(chunks, None)) is not None:
            yield encodable(chunk[:most])
            most -= len(chunk)
    except (ValueError, TypeError, RecursionError):
        pass  # what was written before the trouble is the beginning
