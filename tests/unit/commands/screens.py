"""Consoles to print on: a terminal of some width, and a pipe."""

from __future__ import annotations

from io import StringIO

from rich.console import Console


def terminal(width: int) -> Console:
    """A terminal without colours, so that what is printed can be read."""
    return Console(
        file=StringIO(), force_terminal=True, width=width, color_system=None, highlight=False, markup=False, emoji=False
    )


def pipe() -> Console:
    """What `| cat` would get."""
    return Console(file=StringIO(), force_terminal=False, highlight=False, markup=False, emoji=False)


def printed(console: Console) -> list[str]:
    """The lines printed so far, without the blanks at their ends."""
    assert isinstance(console.file, StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]
