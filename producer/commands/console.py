"""Where commands print: rich on a terminal; plain, whole and one record a line in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from producer.commands.streams import forsake

Row = Sequence[str | Text]


def stdout() -> Console:
    """The standard output, without guesses about what in a text might be worth a colour."""
    # Asked here, because rich takes FORCE_COLOR, which CI sets, for a terminal: a pipe would get tables, not lines.
    return Console(highlight=False, markup=False, emoji=False, force_terminal=sys.stdout.isatty())


def printable(text: str) -> str:
    """The text without control characters, which in somebody else's data could steer the terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def print_table(console: Console, headers: Sequence[str], rows: Sequence[Row]) -> None:
    """A table: folded to a terminal's width, or one line a row with aligned columns and nothing cut."""
    if console.is_terminal:
        console.print(_rich(headers, rows))
    else:
        print_lines(console, _aligned([headers, *rows]))


def print_lines(console: Console, lines: Sequence[str]) -> None:
    """Lines as they are, never folded or cut."""
    for line in lines:
        console.file.write(f"{line}\n")


@contextmanager
def until_nobody_reads(console: Console) -> Iterator[None]:
    """End quietly when the reader of a pipe goes away, as in `wolkvox-hits tail | head`."""
    try:
        yield
        console.file.flush()
    except BrokenPipeError:
        if console.file is sys.stdout:
            forsake(sys.stdout.fileno())


def _rich(headers: Sequence[str], rows: Sequence[Row]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return table


def _aligned(rows: Sequence[Row]) -> list[str]:
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*texts, strict=True)]
    return ["  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in texts]


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - cell_len(cell))
