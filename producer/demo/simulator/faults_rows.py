"""Faults of the content: a report that can be read, but is not as the vendor's page says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import orjson

from producer.demo.simulator import odd_rows
from producer.demo.simulator.answers import SQL_ERROR, Answer, Fault, Report, Row, envelope_head
from producer.demo.simulator.callcentre import CallCentre
from producer.demo.simulator.odd_rows import OddRow
from producer.model import RECORD_CAP


def _with(make_row: Callable[[float], OddRow]) -> Callable[[Report, float], Answer]:
    return _with_all(lambda now: [make_row(now)])


def _with_all(make_rows: Callable[[float], Sequence[OddRow]]) -> Callable[[Report, float], Answer]:
    return lambda report, _seconds: report.led_by([odd.row for odd in make_rows(report.now)]).answer()


def _code_string(report: Report, _seconds: float) -> Answer:
    return report.answer(code=b'"200"')


def _top_level_list(report: Report, _seconds: float) -> Answer:
    return report.answer(head=b"[", tail=b"]")


def _as_object(report: Report, rows: Sequence[Row], *, head: bytes = b"", tail: bytes = b"") -> Answer:
    """The rows with something else than a list around them; an empty report as it is."""
    if not rows:
        return report.answer()
    return replace(report, rows=rows).answer(head=envelope_head(len(rows)).removesuffix(b"[") + head, tail=tail + b"}")


def _data_object(report: Report, _seconds: float) -> Answer:
    return _as_object(report, report.rows[:1])


def _numbered(report: Report, _seconds: float) -> Answer:
    rows = [Row(row.conn_id, b'"%d":%b' % (number, row.encoded)) for number, row in enumerate(report.rows)]
    return _as_object(report, rows, head=b"{", tail=b',"total":%d}' % len(rows))


def _by_id(report: Report, _seconds: float) -> Answer:
    rows = [Row(row.conn_id, b'"%b":%b' % ((row.conn_id or "").encode(), row.encoded)) for row in report.rows]
    return _as_object(report, rows, head=b"{", tail=b',"count":"%d"}' % len(rows))


def _nested(report: Report, _seconds: float) -> Answer:
    tail = b'],"total":%d}' % len(report.rows)
    return _as_object(report, report.rows, head=b'{"page":{"number":1},"rows":[', tail=tail)


def _error_beside(report: Report, _seconds: float) -> Answer:
    return report.answer(head=envelope_head(len(report.rows), error=orjson.dumps(SQL_ERROR)))


def _numbers(report: Report, _seconds: float) -> Answer:
    rows = [Row(row.conn_id, _digits_as_numbers(row.encoded)) for row in report.rows]
    return replace(report, rows=rows).led_by([odd.row for odd in odd_rows.number_ids(report.now)]).answer()


def _digits_as_numbers(encoded: bytes) -> bytes:
    row = orjson.loads(encoded)
    return orjson.dumps({key: int(text) if text.isdigit() else text or None for key, text in row.items()})


def _latin_1(report: Report, _seconds: float) -> Answer:
    answer = report.led_by([odd_rows.broken_bytes(report.now).row]).answer()
    return replace(answer, media_type="application/json; charset=ISO-8859-1")


def _twice(report: Report, _seconds: float) -> Answer:
    return report.followed_by(report.rows).answer()


def _cap(report: Report, _seconds: float) -> Answer:
    return report.followed_by(_flood(int(report.now) // 3600)).answer()


@lru_cache(maxsize=2)
def _flood(hour: int) -> Sequence[Row]:
    # Calls only: their ids hold the time, so another hour's flood has other ids.
    centre = CallCentre(seed="flood", rate=25, window=3600, late=0, start=(hour - 1) * 3600)
    hits = [hit for hit in map(centre.hit, range(RECORD_CAP * 5 // 4)) if "." in hit.conn_id]
    return [Row(hit.conn_id, orjson.dumps(hit.row)) for hit in hits]


_TABLE = (
    ("code-string", 'code is "200", a string', _code_string),
    ("top-level-list", "the rows without their envelope", _top_level_list),
    ("data-object", "data is one row, not a list; the other rows are missing", _data_object),
    ("rows-numbered", "data is an object of numbered rows with their total beside them", _numbered),
    ("rows-by-id", "data is an object of rows by their ids", _by_id),
    ("rows-nested", "data is an object that holds the list of rows", _nested),
    ("error-beside-rows", "the rows, and the text of an error beside them", _error_beside),
    ("numbers", "ids, telephones and customer ids as JSON numbers, empty ones null", _numbers),
    ("exponent-ids", "two rows whose ids are one float", _with_all(odd_rows.exponent_ids)),
    ("odd-dates", "rows with a date in each form that is read", _with_all(odd_rows.odd_dates)),
    ("total-line", "a TOTAL line", _with(odd_rows.total_line)),
    ("extra-fields", "a row with fields that nobody announced", _with(odd_rows.extra_fields)),
    ("nan", "a row with NaN", _with(odd_rows.not_a_number)),
    ("lone-surrogate", "a row with half a character", _with(odd_rows.lone_surrogate)),
    ("broken-bytes", "a row with bytes that are not UTF-8", _with(odd_rows.broken_bytes)),
    ("latin-1", "the same, and a Content-Type that says so", _latin_1),
    ("huge-row", "a row of 2 MB", _with(odd_rows.huge_row)),
    ("odd-rows", "one of each odd row: ids, types, dates, no objects at all", _with_all(odd_rows.odd_rows)),
    ("duplicate-rows", "each row twice in one answer", _twice),
    ("cap", "60,000 rows: the API's limit, perhaps cut off", _cap),
)

ROWS = tuple(Fault(name, description, make, only_hits=True) for name, description, make in _TABLE)
"""Every fault of this file."""
