"""Where in an answer its rows stand: a list in `data` as documented, or the one other place that holds any.

{"data": [row, row]}                          the documented place
{"data": {"0": row, "1": row, "total": 2}}    numbered, or keyed by id, whatever stands beside them
{"data": {"rows": [row, row], "page": 1}}     one list, however deep
{"data": [{"hit": row}, {"hit": row}]}        each in an object of its own
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from producer.errors import NotASnapshot
from producer.model import API_FIELDS, Drift, RawRow
from producer.wolkvox.rows import reads_total

_KNOWN = frozenset(API_FIELDS)
_FRAME = {"code", "error", "msg", "data"}
_ENOUGH = 3
"""So many of the six fields make a row of an object without an id. Two may be a moment and a count."""
_DEEPEST = 8


def rows_of(content: Any) -> tuple[list[Any], dict[Drift, int]]:
    """The rows of a whole answer, none if it holds nothing at all, and what is odd about their place.

    Raises NotASnapshot where something is that is not understood: an object without rows, or rows in several places.
    """
    if isinstance(content, list):
        return content, {Drift.TOP_LEVEL_LIST: 1}
    if not isinstance(content, dict):
        raise NotASnapshot("the answer is no report: neither an object nor a list")
    data = content.get("data")
    if isinstance(data, list) and any(map(_is_meant, data)):
        return data, {}
    found = _one_place(data or {name: beside for name, beside in content.items() if name not in _FRAME})
    if found is not None and found is not data:
        return found, {Drift.DATA_OBJECT: 1}
    if isinstance(data, list):
        return data, {}
    if data is None or data == {}:
        return [], {}
    raise NotASnapshot("the answer is no report: its data is neither a list of rows nor an object that holds one")


def _is_meant(value: Any) -> bool:
    """Whether an entry makes the documented list one of rows: also one known by its bytes, and a summary."""
    return (
        isinstance(value, RawRow)
        or is_row(value)
        or (isinstance(value, dict) and any(map(reads_total, value.values())))
    )


def is_row(value: Any) -> bool:
    """Whether it is meant as a row, be it a broken one."""
    return isinstance(value, dict) and ("conn_id" in value or len(_KNOWN & value.keys()) >= _ENOUGH)


def _one_place(value: Any) -> list[Any] | None:
    places = list(islice(_places(value), 2))
    if len(places) > 1:
        raise NotASnapshot("the answer is no report: rows stand in more than one place of it")
    return places[0] if places else None


def _places(value: Any, depth: int = 0) -> Iterator[list[Any]]:
    """Each list of rows and each object with rows in it; what is inside a row is the row's own."""
    if isinstance(value, list) and any(map(is_row, value)):
        yield value
    elif isinstance(value, list) and (wrapped := _wrapped(value)):
        yield wrapped
    elif is_row(value):
        yield [value]
    elif isinstance(value, dict | list) and depth < _DEEPEST:
        inside = list(value.items()) if isinstance(value, dict) else [("", other) for other in value]
        rows = [row for key, row in inside if _is_among(key, row)]
        if any(map(is_row, rows)):
            yield rows
            inside = [(key, other) for key, other in inside if isinstance(other, list)]
        for _, other in inside:
            yield from _places(other, depth + 1)


def _wrapped(value: list[Any]) -> list[Any]:
    """The rows of a list whose entries are objects that hold one each, under whatever name."""
    inside = [list(filter(is_row, one.values())) if isinstance(one, dict) else [] for one in value]
    return [rows[0] for rows in inside] if all(len(rows) == 1 for rows in inside) else []


def _is_among(key: str, value: Any) -> bool:
    """Whether a value of an object with rows in it is one: a summary too, and whatever object has a number."""
    return is_row(value) or (isinstance(value, dict) and (key.isdecimal() or any(map(reads_total, value.values()))))
