"""Where the program does not run: a line that says so and what to do, instead of a traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = ("--help", "run", "check", "schemas list")
NO_LINKS = "wolkvox-hits: producer/schemas is a file and no link: "


@pytest.mark.parametrize("platform", ["win32", "cygwin", "msys"])
def test_on_windows_it_says_where_it_runs(platform: str) -> None:
    entry = f"from producer.__main__ import main; main(platform={platform!r})"
    done = subprocess.run([sys.executable, "-c", entry], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "wolkvox-hits: it runs on Linux and macOS; on Windows install WSL 2 (wsl --install) and use it there"
    ]


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository of the program's own files as they are here, to be cloned."""
    if shutil.which("git") is None:
        pytest.skip("no git here: apt-get install git")
    folder = tmp_path / "origin"
    folder.mkdir()
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    kept = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "producer", folder / "producer", symlinks=True, ignore=kept)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--message", "as it is")
    return folder


def test_a_clone_without_symbolic_links_says_so_and_the_remedy_mends_it(origin: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--config", "core.symlinks=false", str(origin), str(clone))
    assert (clone / "producer/schemas").read_text() == "../schemas"
    for command in COMMANDS:
        done = wolkvox_hits(clone, command)
        (line,) = done.stderr.splitlines()
        assert (done.returncode, done.stdout, line[: len(NO_LINKS)]) == (1, "", NO_LINKS)
    remedy = line.partition("`")[2].partition("`")[0]
    subprocess.run(["/bin/sh", "-c", remedy], cwd=clone, check=True)
    assert "hit" in wolkvox_hits(clone, "schemas list").stdout


def test_a_copy_without_the_schemas_says_what_it_lacks(origin: Path) -> None:
    shutil.rmtree(origin / "schemas")
    done = wolkvox_hits(origin, "run")
    assert done.returncode == 1
    assert (
        done.stderr
        == "wolkvox-hits: the folder schemas is missing beside producer: copy both, or install the package\n"
    )


def wolkvox_hits(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """A command of the program as it is in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "producer", *command.split()],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def git(folder: Path, *words: str) -> None:
    """Without the machine's own settings."""
    nothing = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", *words], cwd=folder, env={"PATH": os.environ["PATH"], **nothing}, check=True)
