"""The demo on a terminal: the story scrolls by, and below it a table lives."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from producer.demo.broker import Progress
from producer.demo.show.audit import Audit
from producer.demo.show.narrator import FAILS, HOLDS, View, findings
from producer.demo.show.readback import HitLine
from producer.demo.simulator.callcentre import BOGOTA

AROUND = 14
"""Lines that are not the table's rows: its head, the counters, and some of the story above."""
WIDEST = 100
"""Columns that the table takes at most."""


class Screen:
    """A `Narrator` for a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._bar: Bar | None = None
        self._task = TaskID(0)
        self._number = 0

    def step(self, text: str) -> None:
        self._end_bar()
        self._number += 1
        self._console.print(Text(f"\n{self._number}. {text}", style="bold"))

    def say(self, *lines: str) -> None:
        self._end_bar()
        for line in lines:
            self._console.print(Padding(Text(line), (0, 0, 0, 3)))

    def fetched(self, progress: Progress) -> None:
        if self._bar is None:
            columns = (TextColumn("   {task.description}"), BarColumn(), DownloadColumn())
            self._bar = Bar(*columns, console=self._console, transient=True)
            self._task = self._bar.add_task("fetching Kafka", total=progress.megabytes_total * 1e6)
            self._bar.start()
        self._bar.update(self._task, completed=progress.megabytes * 1e6)

    def show(self, view: View) -> None:
        if self._live is None:
            self._end_bar()
            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()
        rows, width = max(3, self._console.height - AROUND), min(WIDEST, self._console.width - 1)
        self._live.update(picture(view, rows=rows, width=width), refresh=True)

    def close(self) -> None:
        self._end_bar()
        if self._live is not None:
            self._live.stop()
            self._live = None

    def verdict(self, audit: Audit) -> None:
        self._console.print(Text(f"\nAudit: {audit.line}."))
        for line in findings(audit):
            self._console.print(Padding(Text(line), (0, 0, 0, 3)))
        good = audit.holds
        self._console.print(Text(HOLDS if good else FAILS, style="bold green" if good else "bold red"))

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def picture(view: View, *, rows: int, width: int) -> RenderableType:
    """The table of the last hits, `rows` at most and `width` columns wide, and the counters below it."""
    table = Table(box=None, header_style="dim", padding=(0, 1, 0, 0), pad_edge=False, width=width)
    table.add_column("occurred", no_wrap=True, width=8)
    table.add_column("conn_id", no_wrap=True, overflow="ellipsis", width=30)
    table.add_column("type", no_wrap=True, overflow="ellipsis", ratio=2)
    table.add_column("hit", no_wrap=True, overflow="ellipsis", ratio=3)
    table.add_column("delay", no_wrap=True, width=6, justify="right")
    # Partitions are read one after the other; a person expects the order of the calls.
    for line in sorted(list(view.last)[-rows:], key=lambda line: line.occurred_at or 0.0):
        table.add_row(*_cells(line))
    return Padding(Group(table, Text(), *_counters(view)), (1, 0, 0, 1))


def _cells(line: HitLine) -> tuple[RenderableType, ...]:
    at = "" if line.occurred_at is None else datetime.fromtimestamp(line.occurred_at, BOGOTA).strftime("%H:%M:%S")
    delay = "" if line.delay is None else f"{line.delay:.1f} s"
    # Text, not str: what the API sends is no markup.
    return at, Text(line.conn_id), Text(line.type_interaction), Text(line.hit), delay


def _counters(view: View) -> tuple[Text, Text]:
    shown, wrong = view.shown, "bold red" if view.duplicates else "bold green"
    first = [("events", f"{view.events}", "bold"), ("duplicates", f"{view.duplicates}", wrong)]
    second = [
        ("changes", f"{view.changes}", "bold"),
        ("coverage gaps told", f"{view.gaps}", "bold"),
        ("service", view.service, "bold"),
    ]
    if shown:
        waiting = "bold yellow" if shown.missing else "bold green"
        first.insert(0, ("shown by the API", f"{shown.hits}", "bold"))
        first.append(("missing so far", f"{shown.missing}", waiting))
        second.insert(0, ("never shown", f"{shown.unseen}", "bold"))
    return _counted(first), _counted(second)


def _counted(counters: Sequence[tuple[str, str, str]]) -> Text:
    """Name, value and the value's style of each, three blanks between them."""
    return Text("   ").join(Text.assemble((f"{name} ", "dim"), (value, style)) for name, value, style in counters)
