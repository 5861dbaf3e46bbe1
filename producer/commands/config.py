"""`wolkvox-hits config show | example`: the settings as they take effect, and a file that has them all."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from producer.commands.console import print_lines, print_table, stdout, until_nobody_reads
from producer.settings import Settings, example_toml, show


def config_show(settings: Settings, *, console: Console | None = None) -> int:
    """Print each setting with its value and where that comes from; secrets are masked."""
    console = console or stdout()
    # What somebody set stands out from the defaults.
    rows = [
        tuple(Text(cell, style="dim" if one.origin == "default" else "") for cell in (one.name, one.value, one.origin))
        for one in show(settings)
    ]
    with until_nobody_reads(console):
        print_table(console, ("SETTING", "VALUE", "FROM"), rows)
    return 0


def config_example(*, console: Console | None = None) -> int:
    """Print a file with every setting commented out at its default."""
    console = console or stdout()
    with until_nobody_reads(console):
        print_lines(console, example_toml().splitlines())
    return 0
