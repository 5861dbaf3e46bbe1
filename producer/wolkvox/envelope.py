"""An answer of the API to the rows it brings, or to the error it means: the table "What the API can answer".

bytes --decoding--> value --envelope--> rows
                             \\--(an error)--> PollFailed
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from producer.clock import Moment
from producer.errors import NotASnapshot, PollFailed
from producer.model import RECORD_CAP, Drift
from producer.wolkvox.decoding import Content, content_of
from producer.wolkvox.headers import retry_after
from producer.wolkvox.masking import Shown
from producer.wolkvox.parsing import Body, Unreadable, row_of, tolerant
from producer.wolkvox.places import is_row, rows_of
from producer.wolkvox.quiet import check_it_is_quiet, speaks, trouble_around
from producer.wolkvox.recall import Recall
from producer.wolkvox.refusal import Said, refusal, said_in, said_on

MAX_ROWS = 2 * RECORD_CAP
"""The API cuts its answers at 60,000 rows; twice as many are not this report."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole HTTP answer: header names in lower case, the body decompressed, and when the call ran."""

    status: int
    headers: Mapping[str, str]
    body: Body
    requested: Moment
    received: Moment
    drift: Mapping[Drift, int] = field(default_factory=dict)
    """What was odd about the way it came."""


@dataclass(frozen=True, slots=True)
class Report:
    """The rows of an answer; the fields are those of `Snapshot`."""

    rows: list[Any]
    drift: dict[Drift, int] = field(default_factory=dict)
    not_found: bool = False
    exact: Callable[[], list[Any]] | None = None
    ids: list[str | None] | None = None
    parsed: list[int] | None = None


def read_report(answer: Answer, shown: Shown, recall: Recall | None = None) -> Report:
    """The report in an answer; raises the PollFailed that the answer means.

    Rows that `recall` finds again are not parsed, but stay as the bytes that were sent.
    """
    parts = recall.content(answer.body) if recall is not None and answer.status == 200 else None
    if parts is None:
        content, ids, parsed = read_content(answer, shown), None, None
    else:
        content, ids = Content(parts.envelope | {"data": parts.rows}, answer.body), parts.ids
        parsed = parts.parsed
    report = _report(content.value, answer, shown)
    if not report.rows and not report.not_found and (trouble := trouble_around(answer.body, content.body)):
        raise NotASnapshot(f"the answer contradicts itself: code 200 without rows, and around it: {shown(trouble)}")
    if len(report.rows) > MAX_ROWS:
        raise NotASnapshot(f"the answer is no report: {len(report.rows)} rows, and the API's cap is {RECORD_CAP}")
    exact = _exact_rows(content.body, report.rows) if content.exact else None
    return replace(report, drift={**answer.drift, **content.drift, **report.drift}, exact=exact, ids=ids, parsed=parsed)


def read_content(answer: Answer, shown: Shown) -> Content:
    """The JSON value in the body of a 200 or 404; raises PollFailed."""
    try:
        return content_of(answer.body, answer.headers.get("content-type", ""))
    except Unreadable as unreadable:
        problem = str(unreadable)
    if answer.status in {200, 404}:
        raise NotASnapshot(f"the answer is no report ({answer.status}): {problem}", after=_after(answer))
    raise _refusal(answer, answer.status, said_on(answer.body), shown)


def check_code(content: Any, answer: Answer, shown: Shown) -> int | None:
    """The code that an answer stands for: 200, 404 for none found, None if it brings no code; raises PollFailed.

    The status decides unless it is 200; then the envelope's own `code` does. 404 is believed from the API alone, which
    always sends `code` and `msg`: a gateway that does not know the path must not look like a quiet hour.
    """
    envelope = content if isinstance(content, dict) else {}
    code = _code(envelope)
    if answer.status == 404 and code is None:
        raise _refusal(answer, 404, said_in(content), shown)
    if answer.status not in {200, 404}:
        raise _refusal(answer, answer.status, said_in(content), shown)
    if code == 404 and "msg" in envelope:
        return 404
    if code is not None and (code != 200 or answer.status == 404):
        raise _refusal(answer, code if code != 200 else 404, said_in(content), shown)
    return code


def _report(content: Any, answer: Answer, shown: Shown) -> Report:
    code = check_code(content, answer, shown)
    rows, drift = _rows(content)
    if not isinstance(content, dict):
        return Report(rows, drift)
    if code is None:
        if not any(isinstance(row, dict) and "conn_id" in row for row in rows):
            raise NotASnapshot("the answer is no report: an object with neither code nor rows")
        drift[Drift.NO_CODE] = 1
    if rows and speaks(content.get("error")):
        drift[Drift.CONTRADICTION] = 1
    if not rows:
        check_it_is_quiet(content, code, shown)
    return Report(rows, drift, not_found=code == 404 and not rows)


def _rows(content: Any) -> tuple[list[Any], dict[Drift, int]]:
    if isinstance(content, dict) and "data" not in content and _code(content) is None:
        # An object of rows and nothing else; one that looks like a row may be anybody's.
        return ([], {}) if is_row(content) else rows_of({"data": content})
    return rows_of(content)


def _exact_rows(body: Body, rows: list[Any]) -> Callable[[], list[Any]]:
    def exact() -> list[Any]:
        try:
            return _rows(tolerant(body))[0]
        except Unreadable:
            # Nested deeper than the second parser goes: the digits as the first one read them.
            return [row_of(row) if isinstance(row, bytes) else row for row in rows]

    return exact


def _code(envelope: Mapping[str, Any]) -> int | None:
    code = envelope.get("code")
    text = str(getattr(code, "digits", code)).strip().removesuffix(".0")
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        return None
    return int(text) or None  # one of the vendor's own examples has "0" beside its rows


def _refusal(answer: Answer, code: int, said: Said, shown: Shown) -> PollFailed:
    return refusal(code, said, words=shown(said.text), after=_after(answer))


def _after(answer: Answer) -> float | None:
    return retry_after(answer.headers, wall=answer.received.wall)
