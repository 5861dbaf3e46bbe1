"""A snapshot's rows: which row is which hit, and which are none.

    identify(snapshot, known=...) --> Rows --(those the window lacks)--> read_hit --> Hit | DeadRow

A row that was seen before is touched once, at the speed of C: 60,000 ordinary rows take some ten milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Container
from itertools import chain, filterfalse
from operator import itemgetter
from typing import Any

from producer.model import API_FIELDS, Reason, Row, Rows, Snapshot
from producer.wolkvox.dead import dead_row
from producer.wolkvox.hit import digits_of, read_hit

__all__ = ["dead_row", "identify", "read_hit"]

_LONGEST_ID = 256
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SUMMARY = "TOTAL"

_conn_id = itemgetter("conn_id")


def identify(snapshot: Snapshot, *, known: Container[str] = frozenset()) -> Rows:
    """The snapshot's rows by conn_id, in the order sent; the first of a repeated id counts.

    `known` holds ids that were valid once: their rows are not looked at again. Where a row with another id has a
    float among its known fields, the rows come from the parser that keeps digits. Lets the snapshot's body go.
    """
    exact, snapshot.exact = snapshot.exact, None
    rows, fresh = _by_id(snapshot.rows, known)
    if exact is not None and _loses_digits(rows, fresh):
        rows, fresh = _by_id(exact(), known)
    rows.fresh = fresh
    return rows


def _by_id(sent: list[Any], known: Container[str]) -> tuple[Rows, list[str]]:
    """The rows, and which of the ids are not known."""
    try:
        hits: dict[str, Row] = {row["conn_id"]: row for row in sent}
        fresh = list(filterfalse(known.__contains__, hits))
        if len(hits) == len(sent) and _are_ordinary(fresh):
            return Rows(hits), fresh
    except (KeyError, TypeError):
        pass  # a row is no object, or its id is absent or no text
    rows = _one_by_one(sent, known)
    return rows, list(filterfalse(known.__contains__, rows.hits))


def _are_ordinary(ids: list[str]) -> bool:
    """Whether each is a fine id for sure, without a step of Python for each; raises TypeError if one is no text."""
    together = "".join(ids)
    return (
        together.isprintable()  # neither control characters nor surrogates nor any blank but the space
        and " " not in together
        and "" not in ids
        and len(max(ids, key=len, default="")) <= _LONGEST_ID
        and _SUMMARY not in together.upper()
    )


def _one_by_one(sent: list[Any], known: Container[str]) -> Rows:
    rows = Rows({})
    hits = rows.hits
    numbers = 0
    for row in sent:
        conn_id = row.get("conn_id") if isinstance(row, dict) else None
        if not isinstance(conn_id, str):
            conn_id = digits_of(conn_id)
            numbers += conn_id is not None
        if conn_id in hits:
            rows.repeated += 1
        elif conn_id is not None and (conn_id in known or _is_fine(conn_id)):
            hits[conn_id] = row
        elif _is_summary(row, conn_id):
            rows.summaries += 1
        else:
            _bury(row, conn_id, rows)
    if numbers:
        rows.drift["number_id"] = numbers
    return rows


def _is_fine(conn_id: str) -> bool:
    return _reason_against(conn_id) is None and not _reads_total(conn_id)


def _reason_against(conn_id: str) -> Reason | None:
    if not conn_id.strip():
        return Reason.CONN_ID_MISSING
    if len(conn_id) > _LONGEST_ID or _CONTROL.search(conn_id):
        return Reason.CONN_ID_INVALID
    return Reason.NOT_ENCODABLE if _SURROGATE.search(conn_id) else None


def _is_summary(row: Any, conn_id: str | None) -> bool:
    if not isinstance(row, dict):
        return False
    if conn_id and conn_id.strip():
        return _reads_total(conn_id)
    no_id = row.get("conn_id") is None or row.get("conn_id") == conn_id
    return no_id and any(map(_reads_total, row.values()))


def _reads_total(value: Any) -> bool:
    return isinstance(value, str) and value.strip().upper() == _SUMMARY


def _bury(row: Any, conn_id: str | None, rows: Rows) -> None:
    reason, pointer = Reason.NOT_AN_OBJECT, ""
    if isinstance(row, dict):
        pointer = "/conn_id"
        if conn_id is not None:
            reason = _reason_against(conn_id) or Reason.CONN_ID_INVALID
        else:
            reason = Reason.CONN_ID_MISSING if row.get("conn_id") is None else Reason.CONN_ID_INVALID
    dead = dead_row(row, reason, pointer)
    if dead.key in rows.dead:
        rows.repeated += 1
    else:
        rows.dead[dead.key] = dead


def _loses_digits(rows: Rows, fresh: list[str]) -> bool:
    """Whether the strict parser read a float where digits count: in an id, or in a known field of a row not known."""
    new = [rows.hits[conn_id] for conn_id in fresh]
    types = set(map(type, chain.from_iterable(map(dict.values, new))))  # type: ignore[arg-type]  # parsers make dicts
    if float in types and any(isinstance(row.get(name), float) for row in new for name in API_FIELDS):
        return True
    # What is left of a float's digits may read like the id of another row, a known one even.
    return "number_id" in rows.drift and any(isinstance(row["conn_id"], float) for row in rows.hits.values())
