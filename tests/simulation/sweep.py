"""Many seeds on all cores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from multiprocessing import get_context

from tests.simulation.planted import BUGS, planted
from tests.simulation.run import Result, run_seed

ENOUGH = 2_000
"""Seeds in which each planted bug must be found."""


def sweep(seeds: range) -> Iterator[Result]:
    """Each seed's result, without its story (one command away), in the order in which they end."""
    with get_context("spawn").Pool(os.cpu_count()) as pool:
        yield from pool.imap_unordered(_quiet, seeds, chunksize=4)


def hunt() -> Iterator[tuple[str, int | None, str]]:
    """For each planted bug the first seed that finds it, None if none does, and what it broke."""
    with get_context("spawn").Pool(os.cpu_count()) as pool:
        yield from pool.imap(_first, BUGS)


def _quiet(seed: int) -> Result:
    result = run_seed(seed)
    result.story.lines.clear()
    return result


def _first(bug: str) -> tuple[str, int | None, str]:
    for seed in range(ENOUGH):
        if wrong := run_seed(seed, bug=planted(bug)).wrong:
            return bug, seed, wrong.splitlines()[-1]
    return bug, None, ""
