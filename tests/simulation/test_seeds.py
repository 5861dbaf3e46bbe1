"""A few hundred seeds, one course a seed, and a model of Kafka that keeps the real one's contract."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from time import monotonic

import pytest

from tests.simulation.run import run_seed
from tests.simulation.sweep import ENOUGH

ENOUGH_SECONDS = 20.0
FIRST_FAILING = {
    "memory before the commit": 1,
    "futures not gathered": 5,
    "fencing ignored": 1,
    "ledger read uncommitted": 1,
    "tombstone too early": 1,
    "pending dropped on revocation": 1,
    "cursor outside the transaction": 1,
    "gap told twice": 106,
    "dead letter repeated": 0,
    "room made with rows of our own": 1,
    "a digest not restored": 1,
    "unparsed rows taken for known": 18,
    "a change told again by the next owner": 1,
    "an older version after a later one": 12,
    "earlier words of a later snapshot": 243,
    "memory that only grows": 2,
    "just seen": 3,
    "no barrier": 1,
    "an empty ledger believed": 26,
    "retry without reading the ledger": 1,
    "the agreement not asked": 12,
    "a gap healed twice": 35,
    "the topic not asked for what the ledger forgot": 48,
}
"""Each planted bug and the first seed that finds it; `python -m tests.simulation --bugs` makes it anew."""


@pytest.mark.parametrize("first", range(0, 300, 100))
def test_hundreds_of_seeds_keep_every_promise(first: int) -> None:
    """A hundred each, or as many as fit into twenty seconds; `make simulate` runs as many as asked."""
    began = monotonic()
    told = 0
    for seed in range(first, first + 100):
        result = run_seed(seed)
        assert result.wrong is None, f"python -m tests.simulation --seed {seed}\n{result.wrong}"
        told += result.told
        if monotonic() - began > ENOUGH_SECONDS:
            break
    assert told > 1000


@pytest.mark.parametrize("bug", FIRST_FAILING)
def test_a_planted_bug_is_found(bug: str) -> None:
    seed = FIRST_FAILING[bug]
    assert seed < ENOUGH
    assert _is_well(seed)
    with_bug = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--seed", str(seed), "--bug", bug],
        capture_output=True,
        text=True,
        check=False,
    )
    assert with_bug.returncode == 1
    assert f"seed {seed}: " in with_bug.stdout


@cache
def _is_well(seed: int) -> bool:
    """Without a bug; several are found by the same seed."""
    return run_seed(seed).wrong is None


def test_a_seed_has_one_course_whatever_the_hashes_are() -> None:
    fingerprints = {_fingerprint(seed=19, hashing=hashing) for hashing in ("0", "1", "77")}
    assert fingerprints == {run_seed(19).fingerprint}


def _fingerprint(*, seed: int, hashing: str) -> str:
    code = f"from tests.simulation.run import run_seed; print(run_seed({seed}).fingerprint)"
    environ = os.environ | {"PYTHONHASHSEED": hashing}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ
    ).stdout.strip()
