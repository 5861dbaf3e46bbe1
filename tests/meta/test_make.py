"""`make` on a machine that lacks something: one line that says what is missing and what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What `make` needs of a clone in which nothing was installed yet."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "requirements-dev.lock"):
        shutil.copy(ROOT / name, folder)
    return folder


def python(folder: Path, text: str) -> Path:
    """A python3 that is what a shell script makes of it."""
    program = folder / "python3"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return program


def outside(**environment: str) -> dict[str, str]:
    """The environment of a shell: these tests may themselves be run by a make, which tells its children so."""
    ours = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    return ours | environment


def complaint(folder: Path, *arguments: str, **environment: str) -> str:
    """The line that `make demo` ends with, before make's own; it fails, and what came before it is nothing bad."""
    done = subprocess.run(
        ["make", "demo", *arguments],
        cwd=folder,
        env=outside(**environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert not (folder / ".venv" / ".installed").exists()
    lines = [line for line in done.stdout.splitlines() if not line.startswith("installing")]
    complaints = [line for line in done.stderr.splitlines() if not line.startswith("make: *** [Makefile")]
    (line,) = [*lines, *complaints]
    return line


def test_no_python_at_all(clone: Path) -> None:
    said = complaint(clone, "PYTHON=python3.99")
    assert said.startswith("there is no python3.99 here: install Python 3.11 or later")


def test_a_python_that_is_too_old(clone: Path) -> None:
    old = python(clone, 'case "$1" in --version) echo "Python 3.10.13" ;; *) exit 1 ;; esac')
    said = complaint(clone, f"PYTHON={old}")
    assert "needs Python 3.11 or later" in said
    assert "is Python 3.10.13" in said
    assert "make PYTHON=python3.12 demo" in said


def test_a_python_without_the_venv_module(clone: Path) -> None:
    # As Debian's without python3-venv: the module is there, what it needs to make a pip is not.
    (clone / "ensurepip.py").write_text("raise ImportError('No module named ensurepip')")
    bare = python(clone, f'PYTHONPATH="{clone}" exec {sys.executable} "$@"')
    said = complaint(clone, f"PYTHON={bare}")
    assert "came without the venv module" in said
    assert "apt install python3-venv" in said


def test_no_network(clone: Path) -> None:
    # Nobody listens on port 9 of loopback: the same to pip as a network that is cut.
    said = complaint(clone, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0")
    assert said.startswith("the packages could not be installed, .venv/pip.log says why.")
    assert "PyPI, or a mirror: PIP_INDEX_URL=" in said
    assert "127.0.0.1" in (clone / ".venv" / "pip.log").read_text()


def test_windows(clone: Path) -> None:
    said = complaint(clone, OS="Windows_NT")
    assert "runs on Linux and macOS; on Windows install WSL 2" in said


def test_the_list_of_targets_has_them_all() -> None:
    listed = subprocess.run(
        ["make", "help"], cwd=ROOT, env=outside(), check=True, capture_output=True, text=True
    ).stdout
    phony = (ROOT / "Makefile").read_text().partition(".PHONY: ")[2].splitlines()[0].split()
    assert sorted(line.split()[0] for line in listed.splitlines()) == sorted(phony)
