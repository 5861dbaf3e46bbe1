"""python -m tests.chaos [--minutes M] [--seed N]: chaos on three real brokers; ends with 1 if a promise was broken."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.chaos.run import Chaos, Outcome


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long things go wrong")
    parser.add_argument(
        "--seed", type=int, default=int(time.time()), help="what goes wrong and when; by default another each time"
    )
    options = parser.parse_args()
    _say(f"seed {options.seed}, {options.minutes:g} minutes; three brokers start")
    with tempfile.TemporaryDirectory() as folder:
        chaos = Chaos(seed=options.seed, seconds=60 * options.minutes, folder=Path(folder), say=_say)
        outcome = asyncio.run(chaos.run())
    return _tell(outcome)


def _tell(outcome: Outcome) -> int:
    often = Counter(trouble.kind for trouble in outcome.troubles)
    table = Table("trouble", "times", "until every source was committed again: median", "longest")
    for kind, times in sorted(often.items()):
        seconds = sorted(outcome.recoveries.get(kind, []))
        row = (f"{seconds[len(seconds) // 2]:.1f} s", f"{seconds[-1]:.1f} s") if seconds else ("", "")
        table.add_row(kind, str(times), *row)
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    if outcome.verdict.wrong:
        _say("\n".join(["BROKEN:", *outcome.verdict.wrong[:40]]))
    else:
        _say(f"{len(outcome.troubles)} troubles, {len(outcome.logs)} processes of the service, every wait was bounded")
    _say(outcome.verdict.line)
    if outcome.verdict.wrong:
        _keep(outcome)
    return int(bool(outcome.verdict.wrong))


def _keep(outcome: Outcome) -> None:
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{outcome.seed}-"))
    (folder / "story.txt").write_text("\n".join(outcome.story))
    for name, lines in outcome.logs.items():
        (folder / f"{name}.log").write_text("\n".join(lines))
    _say(f"story and logs: {folder}")
    _say(f"again: python -m tests.chaos --seed {outcome.seed} --minutes {outcome.seconds / 60:g}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
