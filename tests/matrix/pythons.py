"""`make pythons`: the wheel, the quick tests and a run on a broker with each Python that is supported and found here.

python -m tests.matrix.pythons [VERSION...]; each with the oldest and the newest that pyproject.toml lets in of each
dependency. Needs uv. Ends with 1 if anything failed; a version that is not found is named, and fails nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.integration.test_packaging import SUPPORTED, interpreters
from tests.matrix.outcomes import Outcome
from tests.matrix.tries import ROOT, tried

RESOLUTIONS = {"oldest": "lowest-direct", "newest": "highest"}
PROMISES: Mapping[str, Sequence[str]] = {
    "quick tests": ("tests/unit",),
    "a run on a broker": ("tests/contracts", "tests/integration/service/test_once.py"),
}
OPTIONS = ("-n", "2", "--dist", "loadfile")


def main(versions: Sequence[str]) -> int:
    """The command; without versions all that are supported."""
    uv, found = shutil.which("uv"), interpreters()
    if uv is None:
        sys.stderr.write("there is no uv here: pip install uv, and type the command again\n")
        return 2
    rows = [
        (version, age, _tried(uv, found[version], age) if version in found else None)
        for version in versions or SUPPORTED
        for age in RESOLUTIONS
    ]
    _say(f"| Python | dependencies | wheel | {' | '.join(PROMISES)} |", "|---" * (3 + len(PROMISES)) + "|")
    for version, age, cells in rows:
        _say(f"| {version} | {age} | {' | '.join(map(str, cells)) if cells else 'not found here'} |")
    return int(not all(cell.well for _, _, cells in rows for cell in cells or ()))


def _tried(uv: str, python: str, age: str) -> Sequence[Outcome]:
    folder = Path(tempfile.mkdtemp(prefix="python-"))
    with (folder / "log").open("wb") as log:
        wheel = _installed(Steps(log.fileno()), uv, python, RESOLUTIONS[age], folder)
    tests = _tested(folder) if wheel.well else [Outcome(0, []) for _ in PROMISES]
    _say(f"{python}, {age}: {', '.join(map(str, [wheel, *tests]))}; {folder}")
    return [wheel, *tests]


class Steps:
    """Commands one after the other, with their words in the log; after one that failed none is run."""

    def __init__(self, log: int) -> None:
        self._log = log
        self.failed: list[str] = []
        self.passed = 0

    def run(self, *command: str, cwd: Path = ROOT) -> None:
        """One of them."""
        if self.failed:
            return
        done = subprocess.run(command, cwd=cwd, env=_environ(), stdout=self._log, stderr=self._log, check=False)
        self.failed += [" ".join(command[:3])] if done.returncode else []
        self.passed += not done.returncode


def _installed(steps: Steps, uv: str, python: str, resolution: str, folder: Path) -> Outcome:
    """The wheel into an environment with dependencies of that age, and then the tools of the tests beside them."""
    env, pins = folder / "env", folder / "pins.txt"
    ours = str(env / "bin" / "python")
    steps.run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    wheel = str(next(folder.glob("*.whl"), ""))
    steps.run(uv, "venv", "--python", python, str(env))
    # Only what has a wheel for this Python: nobody has a compiler for Rust where a service is installed.
    resolve = (uv, "pip", "compile", "--only-binary", ":all:", "--python", ours, "--resolution", resolution)
    steps.run(*resolve, "--extra", "compression", "--extra", "demo", "pyproject.toml", "-o", str(pins))
    install = (uv, "pip", "install", "--python", ours)
    steps.run(*install, "-r", str(pins), f"wolkvox-hits @ file://{wheel}")
    command = str(env / "bin" / "wolkvox-hits")
    steps.run(command, "--version", cwd=folder)
    steps.run(command, "schemas", "print", "hit", cwd=folder)
    steps.run(*install, "-c", str(pins), f"wolkvox-hits[dev] @ file://{wheel}")
    return Outcome(int(not steps.failed), steps.failed)


def _tested(folder: Path) -> Sequence[Outcome]:
    python = str(folder / "env" / "bin" / "python")
    return tried(PROMISES, folder, python=python, options=OPTIONS, environ=_environ())


def _environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
