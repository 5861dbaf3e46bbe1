"""Where commands print."""

from __future__ import annotations

import subprocess
import sys

from producer.commands.console import print_table, printable
from tests.unit.commands.screens import pipe, printed, terminal

LONG = "x" * 200


def test_in_a_pipe_nothing_is_cut_and_a_row_is_a_line() -> None:
    console = pipe()
    print_table(console, ("A", "B"), [("1", LONG), ("22", "z")])
    assert printed(console) == ["A   B", f"1   {LONG}", "22  z"]


def test_on_a_terminal_a_long_text_goes_on_in_the_next_lines_and_stays_whole() -> None:
    console = terminal(80)
    print_table(console, ("A", "B"), [("1", LONG)])
    lines = printed(console)
    assert max(map(len, lines)) <= 80
    assert "".join(lines).count("x") == 200


def test_somebody_elses_text_cannot_steer_the_terminal() -> None:
    assert printable("VENTA\x1b[2J\r\x07") == "VENTA\ufffd[2J\ufffd\ufffd"


def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    code = (
        "from producer.commands.console import *\n"
        "c = stdout()\n"
        "with until_nobody_reads(c):\n"
        "    print_lines(c, ['line'] * 100_000)\n"
    )
    whole = subprocess.run(
        ["/bin/sh", "-c", f"'{sys.executable}' -c \"{code}\" | head -1"], capture_output=True, text=True, check=False
    )
    assert whole.stdout == "line\n"
    assert whole.stderr == ""
