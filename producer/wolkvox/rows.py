"""A snapshot's rows: which row is which hit, and which are none.

    identify(snapshot, known=...) --> Rows --(those the window lacks)--> read_hit --> Hit | DeadRow

A row that was seen before is touched once, at the speed of C: 60,000 ordinary rows take some ten milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
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
    try:
        rows = _by_id(snapshot.rows, known)
        if snapshot.exact is not None and _loses_digits(rows, known):
            rows = _by_id(snapshot.exact(), known)
        return rows
    finally:
        snapshot.exact = None


def _by_id(sent: list[Any], known: Container[str]) -> Rows:
    hits = _ordinary(sent, known)
    return _one_by_one(sent, known) if hits is None else Rows(hits)


def _ordinary(sent: list[Any], known: Container[str]) -> dict[str, Row] | None:
    """The rows by id if each is an object with a fine id of its own, else None: without a step of Python per row."""
    try:
        ids = list(map(_conn_id, sent))
        if set(map(type, ids)) - {str}:
            return None
        hits = dict(zip(ids, sent, strict=True))
    except (KeyError, TypeError, IndexError):
        return None
    fresh = list(filterfalse(known.__contains__, ids))
    together = "".join(fresh)
    ordinary = (
        len(hits) == len(sent)
        and set(map(type, sent)) <= {dict}
        and len(max(fresh, key=len, default="")) <= _LONGEST_ID
        and "" not in hits
        and " " not in together
        and together.isprintable()  # neither control characters nor surrogates nor any other blank
        and _SUMMARY not in together.upper()
    )
    return hits if ordinary else None


def _one_by_one(sent: list[Any], known: Container[str]) -> Rows:
    rows = Rows({})
    for row in sent:
        conn_id = _text_of_id(row)
        if conn_id is not None and conn_id in rows.hits:
            rows.repeated += 1
        elif (
            conn_id is not None and (conn_id in known or _reason_against(conn_id) is None) and not _reads_total(conn_id)
        ):
            rows.hits[conn_id] = row
        elif _is_summary(row, conn_id):
            rows.summaries += 1
        else:
            _bury(row, conn_id, rows)
    if rows.summaries:
        rows.drift["summary_row"] = rows.summaries
    return rows


def _text_of_id(row: Any) -> str | None:
    conn_id = row.get("conn_id") if isinstance(row, dict) else None
    return conn_id if isinstance(conn_id, str) else digits_of(conn_id)


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
    return row.get("conn_id") in {None, conn_id} and any(map(_reads_total, row.values()))


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


def _loses_digits(rows: Rows, known: Container[str]) -> bool:
    """Whether the strict parser read a float where digits count: in an id, or in a known field of a row not known."""
    if float in set(map(type, map(_conn_id, rows.hits.values()))):
        return True
    fresh: Iterable[Row] = [rows.hits[conn_id] for conn_id in filterfalse(known.__contains__, rows.hits)]
    if float not in set(map(type, chain.from_iterable(row.values() for row in fresh))):
        return False
    return any(isinstance(row.get(name), float) for row in fresh for name in API_FIELDS)
