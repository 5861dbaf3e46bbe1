"""Freed memory is kept: page faults are counted, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from producer.heap import keep_freed_memory
kept = sys.argv[1] == "kept" and keep_freed_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        piece = bytearray(1_500_000)
        piece = bytes(piece) + b"x"
        del piece
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults() if kept or sys.argv[1] != "kept" else -1)
"""


def faults_when(how: str) -> int:
    return int(subprocess.check_output([sys.executable, "-c", FAULTS, how]))


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")
def test_large_blocks_that_are_freed_and_needed_again_cost_no_page_faults() -> None:
    given_back, kept = faults_when("given back"), faults_when("kept")
    if kept < 0:
        pytest.skip("another C library")
    assert given_back > 5_000, "nothing to keep: is it still needed?"
    assert kept < 500
