"""One event as a line: for a terminal the fields that matter, personal ones only on demand; for a pipe all of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from producer.clock import rfc3339
from producer.commands.console import printable
from producer.kafka.tail import Tailed
from producer.model import Topic

WIDE = 110
"""Columns of a terminal from which on dates are shown beside the times of day."""
ABSENT = "-"

_ONE_LINE = str.maketrans("\r\n", "  ")
"""In JSON they stand only between what says something."""

Zones = Mapping[str, ZoneInfo]
"""The zone of each server's operation; times are shown in it, in UTC for a server that is not in the settings."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, its widths on a narrow and on a wide terminal (None: what is left), its text.

    What is too long goes on in the next line; `cut` ends it there.
    """

    heading: str
    narrow: int | None
    wide: int | None
    text: Callable[[dict[str, Any], Callable[[Any], str]], str]
    cut: bool = False


def _field(name: str) -> Callable[[dict[str, Any], Callable[[Any], str]], str]:
    return lambda value, _: _shown(value.get(name))


def _time(name: str) -> Callable[[dict[str, Any], Callable[[Any], str]], str]:
    return lambda value, time: time(value.get(name))


_SERVER = Column("server", 6, 6, _field("server"))
_OBSERVED = Column("observed", 8, 14, _time("observed_at"))
_CONN_ID = Column("conn_id", 30, 31, _field("conn_id"))
_TYPE = Column("type", 7, 17, _field("type_interaction"), cut=True)
_HIT = Column("hit", None, None, _field("hit"))
_COLUMNS: Mapping[Topic, Sequence[Column]] = {
    Topic.HITS: (
        Column("occurred", 8, 14, _time("occurred_at")),
        _OBSERVED,
        _SERVER,
        _CONN_ID,
        _TYPE,
        _HIT,
    ),
    Topic.CHANGES: (
        Column("first", 8, 14, _time("first_observed_at")),
        _OBSERVED,
        _SERVER,
        _CONN_ID,
        _TYPE,
        _HIT,
    ),
    Topic.DEAD_LETTER: (
        _OBSERVED,
        _SERVER,
        Column("reason", 15, 15, _field("reason")),
        Column("where", None, None, lambda value, _: value.get("pointer") or "the whole row"),
    ),
    Topic.COVERAGE: (
        _SERVER,
        Column("from", 14, 14, _time("from")),
        Column("to", 14, 14, _time("to")),
        Column("kind", 9, 9, _field("kind")),
        Column("certain", None, None, lambda value, _: "certain" if value.get("certain") else "possible"),
    ),
}
_PERSONAL: Mapping[Topic, Sequence[str]] = {
    Topic.HITS: ("telephone", "customer_id", "extra"),
    Topic.CHANGES: ("telephone", "customer_id", "extra"),
    Topic.DEAD_LETTER: ("row",),
    Topic.COVERAGE: (),
}


class Lines:
    """Lines of one topic for a terminal of `width` columns."""

    def __init__(self, topic: Topic, *, width: int, zones: Zones, show_personal: bool) -> None:
        self._columns = _COLUMNS[topic]
        self._personal = _PERSONAL[topic] if show_personal else ()
        self._wide = width >= WIDE
        self._zones = zones

    def head(self) -> RenderableType:
        """The headings."""
        return self._line(Text(column.heading, style="bold") for column in self._columns)

    def line(self, record: Tailed) -> RenderableType:
        """One event; one that can't be read is told with its place, and nothing of its content."""
        value = _value(record)
        if not isinstance(value, dict):
            return Text(f"{record.topic} {record.partition}@{record.offset}: not a JSON object", style="red")
        zone = self._zones.get(str(value.get("server")))

        def time(text: Any) -> str:
            return _local(text, zone, dated=self._wide)

        line = self._line(Text(printable(column.text(value, time))) for column in self._columns)
        personal = [f"{name} {_compact(value[name])}" for name in self._personal if name in value]
        return Group(line, Text(printable(f"  {'  '.join(personal)}"), style="dim")) if personal else line

    def _line(self, cells: Iterator[Text]) -> Table:
        # Each line is a table of its own: what comes next is not known, so the widths are given.
        grid = Table.grid(padding=(0, 1, 0, 0), pad_edge=False, expand=True)
        for column in self._columns:
            width = column.wide if self._wide else column.narrow
            grid.add_column(
                width=width,
                ratio=1 if width is None else None,
                overflow="ellipsis" if column.cut else "fold",
                no_wrap=column.cut,
            )
        grid.add_row(*cells)
        return grid


def whole(record: Tailed) -> str:
    """The record as one line of JSON, its headers and place included; a value that is no JSON becomes a text."""
    found = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": rfc3339(record.timestamp),
        "key": _text(record.key),
        "headers": {name: _text(value) for name, value in record.headers},
    }
    start = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return f'{start[:-1]},"value":{_raw(record)}}}'


def _raw(record: Tailed) -> str:
    """The value as it was sent: parsed and written again, a number could lose digits."""
    if record.value is None:
        return "null"
    text = record.value.decode(errors="replace")
    try:
        orjson.loads(record.value)  # unlike the other parser it takes nothing that is no JSON: NaN, UTF-16
    except orjson.JSONDecodeError:
        return json.dumps(text, ensure_ascii=False)
    return text.translate(_ONE_LINE)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")


def _value(record: Tailed) -> Any:
    if record.value is None:
        return None
    try:
        return json.loads(record.value)
    except (ValueError, RecursionError):
        return record.value.decode(errors="replace")


def _local(text: Any, zone: ZoneInfo | None, *, dated: bool) -> str:
    try:
        moment = datetime.fromisoformat(str(text)).astimezone(zone or ZoneInfo("UTC"))
    except (ValueError, OverflowError):
        return ABSENT
    return moment.strftime("%m-%d %H:%M:%S" if dated else "%H:%M:%S")


def _shown(value: Any) -> str:
    return ABSENT if value is None else str(value)


def _compact(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return json.dumps(value)
