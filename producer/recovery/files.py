"""A file of hits, as somebody has it: the report's JSON, JSON lines, or a spreadsheet's CSV (pure).

    {"code": 200, … "data": [row, row]}      an answer of the API, as `curl` saved it
    {"conn_id": …}                           a row a line
    conn_id;date;telephone                   columns by their names, or by `--map`

Of a CSV only the columns of the six fields are read: what else a spreadsheet holds is nobody's business downstream.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from producer.clock import Moment
from producer.errors import NotASnapshot, PollFailed, SettingsError
from producer.model import API_FIELDS, Snapshot
from producer.wolkvox.decoding import content_of
from producer.wolkvox.envelope import Answer, read_report
from producer.wolkvox.parsing import Unreadable, tolerant
from producer.wolkvox.places import is_row

CONTENT = "the report's JSON, JSON lines, or CSV with a line of names"
"""What a file may hold."""

_SEPARATORS = ";,\t|"
_BLANK = b"\xef\xbb\xbf \t\r\n"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class FileRows:
    """What a file holds: rows as a snapshot, whose time is that of the reading, and the lines that are none."""

    snapshot: Snapshot
    unread: Sequence[int] = field(default=())


def read_file(body: bytes, *, server: str, columns: Mapping[str, str], now: Moment) -> FileRows:
    """The rows in a file's bytes; `columns` names those of a CSV by the field that they hold.

    Raises SettingsError for a column that is not there, NotASnapshot if nothing in it can be read.
    """
    if body.lstrip(_BLANK)[:1] not in (b"{", b"["):
        _require_text(body)
        found, unread = _csv(_text(body), columns)
        return FileRows(Snapshot(server, now, now, found), unread)
    try:
        report = read_report(Answer(200, {}, body, now, now), lambda _text: "")
    except PollFailed as error:
        problem = str(error)
    else:
        return FileRows(Snapshot(server, now, now, report.rows, report.drift, exact=report.exact))
    found, unread = _lines(body)
    if not found:
        raise NotASnapshot(_problem(body, problem))
    return FileRows(Snapshot(server, now, now, found), unread)


def _require_text(body: bytes) -> None:
    text = body.rstrip(b"\0")
    start = text.lstrip(_BLANK)
    if not start:
        raise NotASnapshot("the file is empty")
    if start[:1] == b"<":
        raise NotASnapshot("HTML")
    if body[:2] not in _UTF_16 and b"\0" in text:
        raise NotASnapshot("no text, as a spreadsheet is that was not saved as CSV")


def _problem(body: bytes, problem: str) -> str:
    """What is wrong with a file that begins like JSON: nobody answered it, so it has no status."""
    try:
        content_of(body, "")
    except Unreadable as unreadable:
        return f"no JSON, nor a row on any line: {unreadable}"
    return f"JSON without rows to read: {problem}"


def _lines(body: bytes) -> tuple[list[Any], list[int]]:
    rows, unread = [], []
    for number, line in enumerate(body.splitlines(), start=1):
        if not line.strip():
            continue
        row = _row(line)
        if is_row(row):
            rows.append(row)
        else:
            unread.append(number)
    return rows, unread


def _row(line: bytes) -> Any:
    try:
        content = content_of(line, "")
        floats = isinstance(content.value, dict) and any(isinstance(one, float) for one in content.value.values())
        return tolerant(content.body) if floats else content.value  # which keeps the digits
    except Unreadable:
        return None


def _csv(text: str, columns: Mapping[str, str]) -> tuple[list[Any], list[int]]:
    lines = _cells(text)
    _, header = next(lines, (0, None))
    places = _places(header or [], columns)
    rows, unread = list[Any](), list[int]()
    for number, cells in lines:
        if cells is None or len(cells) <= max(places.values()) or any(cells[len(header or ()) :]):
            unread.append(number)
        else:
            rows.append({name: cells[place] for name, place in places.items()})
    return rows, unread


def _cells(text: str) -> Iterator[tuple[int, list[str] | None]]:
    """Each line that is not blank, with its number and its cells trimmed; None where quotes do not match."""
    first, _, rest = text.partition("\n")
    named = first.strip().lower().startswith("sep=")  # a line that spreadsheets write, and read, for one another
    separator = first.strip()[4:5] or ";" if named else max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(rest if named else text, newline=""), delimiter=separator, strict=True)
    while True:
        try:
            cells: list[str] | None = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error:
            cells = None
        if cells is None or any(cells):
            yield reader.line_num + named, cells


def _places(header: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Where each of the six fields stands."""
    names = [name.casefold() for name in header]
    wanted = {name: columns.get(name, name).strip().casefold() for name in API_FIELDS}
    missing = [
        name for name, column in wanted.items() if column not in names and (name in columns or name == "conn_id")
    ]
    if missing:
        # Their names are not repeated: where the first line is a row, they would be somebody's telephone.
        among = f"among the {len(names)} that the first line names" if names else "in a file without names"
        raise SettingsError([f"--map {name}=COLUMN: no column {columns.get(name, name)!r} {among}" for name in missing])
    return {name: names.index(column) for name, column in wanted.items() if column in names}


def _text(body: bytes) -> str:
    """A spreadsheet writes UTF-8, UTF-16 as "Unicode text", or the one-byte letters of Windows."""
    if body[:2] in _UTF_16:
        return body.decode("utf-16", "replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")
