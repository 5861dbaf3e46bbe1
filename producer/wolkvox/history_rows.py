"""Rows of the historical reports: which of them are hits, and what the live report would show of these (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from producer.errors import NotASnapshot
from producer.model import API_FIELDS, Drift
from producer.wolkvox.envelope import Answer, check_code, read_content, read_report
from producer.wolkvox.hit import digits_of
from producer.wolkvox.masking import Shown
from producer.wolkvox.refusal import folded

Dated = Callable[[str], str | None]
"""The date to show for that of a row; None if the row lies outside of what is wanted."""

_YES = frozenset({"yes", "y", "si", "s", "true", "1"})
"""How a code's flag says it, in any casing: the vendor's collection has "yes"."""


@dataclass(frozen=True, slots=True)
class Historical:
    """One historical report: its name, and where it keeps what the live report's fields hold."""

    name: str
    fields: Mapping[str, str]


CALLS = Historical("cdr_1", {})
CHATS = Historical("chat_1", {"type_interaction": "channel", "telephone": "customer_phone"})


@dataclass(frozen=True, slots=True)
class Page:
    """What one call brought: hits in the live report's shape, and how many rows there were, hits or not."""

    hits: list[dict[str, Any]] = field(repr=False)
    rows: int
    not_found: bool
    drift: Mapping[Drift, int]


def read_codes(answer: Answer, shown: Shown) -> frozenset[str]:
    """The activity codes that are hits, as `code_of` writes them; raises the PollFailed that the answer means.

    Without any code nothing could be said of a row: that is no answer.
    """
    content = read_content(answer, shown).value
    known = check_code(content, answer, shown) != 404
    data = content.get("data") if isinstance(content, dict) else content
    rows = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    codes = [row for row in rows if isinstance(row, dict) and code_of(row)] if known else []
    if not codes:
        raise NotASnapshot("the answer holds no activity codes: without them nobody can tell which calls were hits")
    return frozenset(code_of(row) for row in codes if _is_yes(row.get("hit")))


def read_page(
    answer: Answer, shown: Shown, *, report: Historical, codes: frozenset[str], hit: str, dated: Dated
) -> Page:
    """The hits among an answer's rows, their text from the field `hit`; raises the PollFailed that it means."""
    found = read_report(answer, shown)
    rows = [row for row in found.rows if isinstance(row, dict) and code_of(row) in codes]
    if found.exact is not None and any(isinstance(value, float) for row in rows for value in row.values()):
        rows = [row for row in found.exact() if isinstance(row, dict) and code_of(row) in codes]
    hits = [one for row in rows if (one := _hit(row, report, hit=hit, dated=dated)) is not None]
    return Page(hits, len(found.rows), found.not_found, found.drift)


def code_of(row: Mapping[str, Any]) -> str:
    """A row's activity code, trimmed and in capitals; empty if it has none."""
    code = row.get("cod_act")
    return (code if isinstance(code, str) else digits_of(code) or "").strip().upper()


def _hit(row: Mapping[str, Any], report: Historical, *, hit: str, dated: Dated) -> dict[str, Any] | None:
    fields = {name: row.get(report.fields.get(name, name)) for name in API_FIELDS} | {"hit": row.get(hit)}
    date = row.get("date")
    text = date if isinstance(date, str) else digits_of(date)
    if text is None:
        return fields
    written = dated(text)
    return None if written is None else fields | {"date": written}


def _is_yes(flag: Any) -> bool:
    text = flag if isinstance(flag, str) else "1" if flag is True else digits_of(flag) or ""
    return folded(text) in _YES
