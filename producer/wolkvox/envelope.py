"""An answer of the API to the rows it brings, or to the error it means: the table "What the API can answer".

bytes --strict--> value --envelope--> rows
  \\--tolerant--^        \\--(an error)--> PollFailed
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from producer.clock import Moment
from producer.errors import NotASnapshot, PollFailed
from producer.model import RECORD_CAP
from producer.wolkvox.masking import Shown
from producer.wolkvox.parsing import Body, Unreadable, row_of, strict, tolerant
from producer.wolkvox.recall import Recall
from producer.wolkvox.refusal import refusal, retry_after

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


@dataclass(frozen=True, slots=True)
class Report:
    """The rows of an answer; the fields are those of `Snapshot`."""

    rows: list[Any]
    drift: dict[str, int] = field(default_factory=dict)
    not_found: bool = False
    exact: Callable[[], list[Any]] | None = None
    ids: list[str | None] | None = None


def read_report(answer: Answer, shown: Shown, recall: Recall | None = None) -> Report:
    """The report in an answer; raises the PollFailed that the answer means.

    Rows that `recall` finds again are not parsed, but stay as the bytes that were sent.
    """
    parts = recall.content(answer.body) if recall is not None and answer.status == 200 else None
    if parts is None:
        content, exact, ids = *read_content(answer, shown), None
    else:
        content, exact, ids = parts.envelope | {"data": parts.rows}, True, parts.ids
    report = _report(content, answer, shown)
    if len(report.rows) > MAX_ROWS:
        raise NotASnapshot(f"the answer is no report: {len(report.rows)} rows, and the API's cap is {RECORD_CAP}")
    if exact:
        return replace(report, exact=_exact_rows(answer.body, report.rows), ids=ids)
    report.drift["tolerant_parse"] = 1
    return report


def read_content(answer: Answer, shown: Shown) -> tuple[Any, bool]:
    """The JSON value in the body of a 200 or 404, and whether the strict parser read it; raises PollFailed."""
    try:
        return _parse(answer.body)
    except Unreadable as unreadable:
        problem = str(unreadable)
    if answer.status in {200, 404}:
        raise NotASnapshot(f"the answer is no report ({answer.status}): {problem}", after=_after(answer))
    raise _refusal(answer, answer.status, {}, shown)


def check_code(content: Any, answer: Answer, shown: Shown) -> int | None:
    """The code that an answer stands for: 200, 404 for none found, None if it brings no code; raises PollFailed.

    The status decides unless it is 200; then the envelope's own `code` does. 404 is believed from the API alone, which
    always sends `code` and `msg`: a gateway that does not know the path must not look like a quiet hour.
    """
    envelope = content if isinstance(content, dict) else {}
    code = _code(envelope)
    if answer.status == 404 and code is None:
        raise _refusal(answer, 404, envelope, shown)
    if answer.status not in {200, 404}:
        raise _refusal(answer, answer.status, envelope, shown)
    if code == 404 and "msg" in envelope:
        return 404
    if code is not None and (code != 200 or answer.status == 404):
        raise _refusal(answer, code if code != 200 else 404, envelope, shown)
    return code


def _parse(body: Body) -> tuple[Any, bool]:
    try:
        return strict(body), True
    except Unreadable:
        return tolerant(body), False


def _report(content: Any, answer: Answer, shown: Shown) -> Report:
    code = check_code(content, answer, shown)
    if isinstance(content, list):
        return Report(content, {"top_level_list": 1})
    if not isinstance(content, dict):
        raise NotASnapshot("the answer is no report: neither an object nor a list")
    report = _data_rows(content.get("data"))
    if code is None:
        if not any(isinstance(row, dict) and "conn_id" in row for row in report.rows):
            raise NotASnapshot("the answer is no report: an object with neither code nor rows")
        report.drift["no_code"] = 1
    return Report(report.rows, report.drift, not_found=code == 404 and not report.rows)


def _data_rows(data: Any) -> Report:
    if data is None or data == {}:
        return Report([])
    if isinstance(data, list):
        return Report(data)
    if not isinstance(data, dict):
        raise NotASnapshot("the answer is no report: its data is neither a list nor an object")
    if all(key.isdecimal() and isinstance(row, dict) for key, row in data.items()):
        # What PHP makes of a list that lost an entry: {"0": {...}, "2": {...}}.
        return Report(list(data.values()), {"data_object": 1})
    return Report([data], {"data_object": 1})


def _exact_rows(body: Body, rows: list[Any]) -> Callable[[], list[Any]]:
    def exact() -> list[Any]:
        try:
            content = tolerant(body)
        except Unreadable:
            # Nested deeper than the second parser goes: the digits as the first one read them.
            return [row_of(row) if isinstance(row, bytes) else row for row in rows]
        return content if isinstance(content, list) else _data_rows(content.get("data")).rows

    return exact


def _code(envelope: Mapping[str, Any]) -> int | None:
    code = envelope.get("code")
    text = str(getattr(code, "digits", code)).strip().removesuffix(".0")
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        return None
    return int(text)


def _refusal(answer: Answer, code: int, envelope: Mapping[str, Any], shown: Shown) -> PollFailed:
    msg = envelope.get("msg")
    return refusal(code, msg=msg, words=shown(msg), after=_after(answer))


def _after(answer: Answer) -> float | None:
    return retry_after(answer.headers, wall=answer.received.wall)
