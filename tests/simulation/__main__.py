"""python -m tests.simulation --seed N | --seeds N [--from M] | --bugs

One seed with its story, many with a line of progress, or the first seed that finds each planted bug. Ends with 1 if
a seed failed, or a bug was not found.
"""

from __future__ import annotations

import argparse
import sys
from time import monotonic

from tests.simulation.planted import BUGS, planted
from tests.simulation.run import Result, run_seed
from tests.simulation.sweep import hunt, sweep

_SHOWN = 5


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, help="one seed, with its story")
    parser.add_argument("--bug", choices=BUGS, help="with this bug planted")
    parser.add_argument("--seeds", type=int, default=1000, help="how many")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first of them")
    parser.add_argument("--minutes", type=float, default=None, help="stop after so many, however many seeds that are")
    parser.add_argument("--bugs", action="store_true", help="the first seed that finds each planted bug")
    options = parser.parse_args()
    if options.seed is not None:
        return _one(options.seed, options.bug)
    if options.bugs:
        return _bugs()
    return _many(range(options.first, options.first + options.seeds), minutes=options.minutes)


def _one(seed: int, bug: str | None) -> int:
    result = run_seed(seed, bug=planted(bug) if bug else None)
    _say(f"{result.plan}\n\n{result.story.text()}\n")
    _say(f"seed {seed}: {result.wrong or 'all is well'} (fingerprint {result.fingerprint})")
    return int(result.wrong is not None)


def _many(seeds: range, *, minutes: float | None) -> int:
    began, told, gaps, hours, done = monotonic(), 0, 0, 0.0, 0
    failed: list[Result] = []
    for result in sweep(seeds):
        done += 1
        told, gaps, hours = told + result.told, gaps + result.gaps, hours + result.hours
        if result.wrong is not None:
            failed.append(result)
            _say(f"\nseed {result.seed}: {result.wrong}")
        seconds = monotonic() - began
        if done % 50 == 0 or done == len(seeds):
            _progress(f"{done:,} seeds, {done / seconds:.1f} a second, {len(failed)} failed")
        if minutes is not None and seconds > 60 * minutes:
            break
    _say(f"\n{done:,} seeds, {hours / 24:,.0f} days: {told:,} rows told, {gaps:,} gaps, {len(failed)} seeds failed")
    for result in failed[:_SHOWN]:
        _say(f"replay: python -m tests.simulation --seed {result.seed}")
    return int(bool(failed))


def _bugs() -> int:
    missed = 0
    for bug, seed, wrong in hunt():
        missed += seed is None
        _say(f"{bug:<46} {'not found' if seed is None else seed!s:>9}  {wrong}")
    return int(missed > 0)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _progress(text: str) -> None:
    sys.stdout.write(f"\r{text}" if sys.stdout.isatty() else f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
