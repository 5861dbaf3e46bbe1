"""The consumers of examples/ pass the tools of their own languages.

Ruff and mypy look at those in Python with the rest; the tests that run them compile those in Java with all warnings as
errors; here are those in JavaScript.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integration.consumers.examples import FILES, FOLDER, npm_install

PRETTIER = "prettier@3.10.1"
JAVASCRIPT = [str(FOLDER / name) for name in FILES.values() if name.endswith(".js")]


def test_every_example_is_one_that_is_run() -> None:
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == set(FILES.values())


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node.js here")
def test_node_can_read_it() -> None:
    for path in JAVASCRIPT:
        run("node", "--check", path)


def test_it_is_formatted(tmp_path: Path) -> None:
    npm_install(PRETTIER, tmp_path)
    run(str(tmp_path / "node_modules/.bin/prettier"), "--check", "--print-width", "120", *JAVASCRIPT)


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
