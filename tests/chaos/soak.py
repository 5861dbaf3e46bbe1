"""python -m tests.chaos.soak [--minutes M] [--planted BUG]: weeks of work in an hour; ends with 1 if anything grew."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.chaos.flat import MEASURES, thirds
from tests.chaos.leaky import LEAKS
from tests.chaos.stage import RUN
from tests.chaos.weeks import CYCLE, Soak, Weeks


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak")
    parser.add_argument("--minutes", type=float, default=60.0, help=f"in cycles of {CYCLE:g} s, two at least")
    parser.add_argument("--planted", choices=sorted(LEAKS), help="a service that leaks; the run must find it")
    options = parser.parse_args()
    program = ("-m", "tests.chaos.leaky", options.planted) if options.planted else RUN
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(seconds=60 * options.minutes, folder=Path(folder), say=_say, program=program)
        return _tell(asyncio.run(soak.run()))


def _tell(found: Weeks) -> int:
    table = Table("of the instance that lived all the time, and of the disks", "middle third", "last third")
    for name, measure in MEASURES.items():
        before, after = (value / measure.unit for value in thirds(found.samples, measure))
        table.add_row(name, f"{before:,.1f}", f"{after:,.1f}")
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    _say(f"as many polls as {found.days:.1f} days have at the default interval, {len(found.logs)} processes")
    _say(", ".join(f"{what} {times:,}" for what, times in found.happened.items()))
    _say(found.verdict.line)
    if not found.verdict.wrong:
        return 0
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    for name, lines in found.logs.items():
        (folder / f"{name}.log").write_text("\n".join(lines))
    _say("\n".join(["BROKEN:", *found.verdict.wrong[:40], f"logs: {folder}"]))
    return 1


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
