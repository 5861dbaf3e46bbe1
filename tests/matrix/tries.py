"""Runs of pytest in an environment that may be another one, their failures tried once more."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.matrix.outcomes import Outcome, outcomes, together

ROOT = Path(__file__).parents[2]


def tried(
    promises: Mapping[str, Sequence[str]],
    folder: Path,
    *,
    python: str = sys.executable,
    options: Sequence[str] = (),
    environ: Mapping[str, str] = os.environ,
) -> Sequence[Outcome]:
    """What came of each promise's files; reports and logs are in `folder`.

    A machine that has much else to do fails other tests each time, a broker or a Python the same.
    """
    command = [python, "-m", "pytest", "-o", f"cache_dir={folder / 'cache'}", *options]
    command += [path for paths in promises.values() for path in paths]
    environ = {**environ, "WOLKVOX_HITS_REQUIRE_KAFKA": "1"}
    first = _run(command, promises, folder / "first", environ)
    if not any(one.failed for one in first):
        return first
    return list(map(together, first, _run([*command, "--last-failed"], promises, folder / "again", environ)))


def _run(
    command: Sequence[str], promises: Mapping[str, Sequence[str]], folder: Path, environ: Mapping[str, str]
) -> Sequence[Outcome]:
    folder.mkdir()
    report = folder / "report.xml"
    with (folder / "log").open("wb") as log:
        subprocess.run([*command, f"--junitxml={report}"], cwd=ROOT, env=environ, stdout=log, stderr=log, check=False)
    return outcomes(report.read_text() if report.exists() else "", promises.values())
