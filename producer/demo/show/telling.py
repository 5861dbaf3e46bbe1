"""Which narrator it is: a live screen on a terminal, lines in a pipe."""

from __future__ import annotations

import io
from time import monotonic
from typing import TextIO

from rich.console import Console

from producer.demo.show.lines import Lines
from producer.demo.show.narrator import Narrator
from producer.demo.show.screen import Screen


def narrator_of(out: TextIO, *, plain: bool) -> Narrator:
    """Whoever tells it on `out`; `plain`: in lines on a terminal too."""
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(errors="replace")  # a terminal without Ó still gets the story
    console = Console(file=out, highlight=False)
    if plain or not console.is_terminal or console.is_dumb_terminal:
        return Lines(out, clock=monotonic)
    return Screen(console)
