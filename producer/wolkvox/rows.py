"""A snapshot's rows: which row is which hit, and which are none.

    identify(snapshot, known=...) --> Rows --(those the window lacks)--> read_hit --> Hit | DeadRow

A row that was seen before is touched once, at the speed of C: 60,000 ordinary rows take some ten milliseconds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container
from itertools import filterfalse
from operator import itemgetter
from typing import Any

from producer.model import Drift, RawRow, Reason, Row, Rows, Snapshot
from producer.values import dead_row
from producer.wolkvox.hit import digits_of, read_hit
from producer.wolkvox.parsing import row_of

__all__ = ["by_id", "identify", "read_hit", "reads_total"]

_LONGEST_ID = 256
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_EXPONENT = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+[0-9]+|[0-9][.,][0-9]+[eE][0-9]{1,3}")
"""A number as a spreadsheet or a float writes it, Java without a plus: its last digits are gone, two ids may be one."""
_NO_ID = frozenset({"null", "NULL", "Null", "none", "None", "NONE", "undefined", "NaN", "nan", "N/A", "n/a", "#N/A"})
"""How a language or a spreadsheet writes that there is none: two such rows are not one hit."""
_LOSSY = re.compile(r"E\+|[.,][0-9]+E[0-9]")
_SUMMARY = "TOTAL"

_conn_id = itemgetter("conn_id")


def identify(snapshot: Snapshot, *, known: Container[str] = frozenset(), parsed_only: bool = False) -> Rows:
    """The snapshot's rows by conn_id, in the order sent; the first of a repeated id counts.

    `known` holds ids that were valid once: their rows are not looked at again. `parsed_only`: so were the ids of rows
    that were not parsed again, and they are not fresh. Where an id is a float, the rows come from the parser that keeps
    its digits.
    """
    places = snapshot.parsed if parsed_only else None
    rows = by_id(snapshot.rows, snapshot.ids, known=known, places=places)
    if snapshot.exact is not None and Drift.NUMBER_ID in rows.drift and any(map(_is_rounded, snapshot.rows)):
        return by_id(snapshot.exact(), known=known)
    if snapshot.ids is not None and snapshot.parsed is not None:
        found = (snapshot.ids[place] or _number(snapshot.rows[place]) for place in snapshot.parsed)
        rows.parsed = [conn_id for conn_id in found if conn_id in rows.hits]
    return rows


def _number(row: Any) -> str:
    """The id of a row whose id is no text."""
    return digits_of(row.get("conn_id")) or ""


def by_id(
    sent: list[Any],
    ids: list[str | None] | None = None,
    *,
    known: Container[str] = frozenset(),
    places: list[int] | None = None,
) -> Rows:
    """The rows, and which of their ids are not known; `ids` has those that are texts, and is needed for a `RawRow`.

    With `places`, of ordinary rows only the ids at these are asked for.
    """
    try:
        hits = dict(zip(map(_conn_id, sent) if ids is None else ids, sent, strict=True))
        asked = hits if ids is None or places is None else map(ids.__getitem__, places)
        fresh = list(filterfalse(known.__contains__, asked))
        if len(hits) == len(sent) and _are_ordinary(fresh):
            return Rows(hits, fresh=fresh)
    except (KeyError, TypeError):
        pass  # a row is no object, or its id is absent or no text
    rows = _one_by_one(sent, ids or [None] * len(sent), known)
    rows.fresh = list(filterfalse(known.__contains__, rows.hits))
    return rows


def _are_ordinary(ids: list[str]) -> bool:
    """Whether each is a fine id for sure, without a step of Python for each; raises TypeError if one is no text."""
    together = "".join(ids)
    return (
        together.isprintable()  # neither control characters nor surrogates nor any blank but the space
        and " " not in together
        and all(ids)
        and max(map(len, ids), default=0) <= _LONGEST_ID
        and _SUMMARY not in (upper := together.upper())
        and ("E" not in upper or _LOSSY.search(upper) is None)
        and _NO_ID.isdisjoint(ids)
    )


def _one_by_one(sent: list[Any], ids: list[str | None], known: Container[str]) -> Rows:
    rows = Rows({})
    hits = rows.hits
    numbers, shown = 0, Counter[str]()
    for sent_row, sent_id in zip(sent, ids, strict=True):
        row, conn_id = sent_row, sent_id
        if conn_id is None:
            conn_id = row.get("conn_id") if isinstance(row, dict) else None
        whole = conn_id if isinstance(conn_id, str) else None
        if whole is None and (conn_id := digits_of(conn_id)) is not None:
            numbers += 1
            whole = None if "e" in conn_id.lower() else conn_id
        if whole is not None and whole in hits:
            rows.repeated += 1
            _repeat(whole, row, rows, shown)
            continue
        if whole is not None and (whole in known or _is_fine(whole)):
            hits[whole] = row
            continue
        row = row_of(row) if isinstance(row, RawRow) else row
        if _is_summary(row, conn_id):
            rows.summaries += 1
        else:
            _bury(row, conn_id, rows)
    if numbers:
        rows.drift[Drift.NUMBER_ID] = numbers
    return rows


def _repeat(conn_id: str, row: Row | RawRow, rows: Rows, shown: Counter[str]) -> None:
    """The same row twice says no more than once."""
    if row == rows.hits[conn_id]:
        return
    if shown[conn_id] == len(rows.further):
        rows.further.append({})
    rows.further[shown[conn_id]][conn_id] = row
    shown[conn_id] += 1


def _is_fine(conn_id: str) -> bool:
    return _reason_against(conn_id) is None and not reads_total(conn_id)


def _reason_against(conn_id: str) -> Reason | None:
    if not conn_id.strip() or conn_id.strip() in _NO_ID:
        return Reason.CONN_ID_MISSING
    if len(conn_id) > _LONGEST_ID or _CONTROL.search(conn_id) or _EXPONENT.fullmatch(conn_id):
        return Reason.CONN_ID_INVALID
    return Reason.NOT_ENCODABLE if _SURROGATE.search(conn_id) else None


def _is_summary(row: Any, conn_id: str | None) -> bool:
    if not isinstance(row, dict):
        return False
    if conn_id and conn_id.strip():
        return reads_total(conn_id)
    no_id = row.get("conn_id") is None or row.get("conn_id") == conn_id
    return no_id and any(map(reads_total, row.values()))


def reads_total(value: Any) -> bool:
    """Whether a field says that its row is the report's summary line."""
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


def _is_rounded(row: Any) -> bool:
    """Whether its id is a float to the strict parser: what is left of its digits may read like another row's id."""
    return isinstance(row, dict) and isinstance(row.get("conn_id"), float)
