"""Which rows say that they are hits.

The vendor's page: a row is a hit if the code with which the call was typified is set as one, and calls are typified
after they end. So a row may come with an empty `hit` first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from producer.values import Number

_NO = frozenset({"", "no", "n", "false", "0"})
_hit = itemgetter("hit")


def is_marked(hit: Any) -> bool:
    """Whether the `hit` of a row says that it is one: not empty, blank, null, `no`, `n`, `false` or `0` in any case."""
    if isinstance(hit, str):
        return hit.strip().lower() not in _NO
    value = hit.value() if isinstance(hit, Number) else hit
    return not (value is None or value == 0)  # False is 0, too


def unmarked_among(rows: Sequence[dict[str, Any]]) -> list[int]:
    """The places of the rows that say they are none; an absent `hit` is an empty one.

    Ordinary rows say few different things: each of those is looked at once.
    """
    try:
        if all(map(is_marked, set(map(_hit, rows)))):
            return []
    except (KeyError, TypeError):
        pass  # absent somewhere, or an object
    return [place for place, row in enumerate(rows) if not is_marked(row.get("hit"))]


def count_unmarked(rows: Iterable[Any]) -> int:
    """How many rows of a report say that they are no hits; what is no object says nothing."""
    return len(unmarked_among([row for row in rows if isinstance(row, dict)]))
