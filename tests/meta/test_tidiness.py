"""What editors and the checks before a commit are told: files are as .editorconfig says, and each hook can be run."""

from __future__ import annotations

import shlex
import subprocess
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HOOKS: list[dict[str, Any]] = [
    hook for repo in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"] for hook in repo["hooks"]
]
in_a_repository = pytest.mark.skipif(
    not (ROOT / ".git").exists(), reason="no repository here: it says which files are ours"
)


@in_a_repository
def test_every_file_is_as_the_editors_are_told() -> None:
    told = ConfigParser()
    told.read_string("[root]\n" + (ROOT / ".editorconfig").read_text())
    everything = told["*"]
    assert everything["insert_final_newline"] == everything["trim_trailing_whitespace"] == "true"
    assert (everything["charset"], everything["end_of_line"]) == ("utf-8", "lf")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    texts = [name for name in listed.split("\0") if (ROOT / name).is_file() and not name.endswith(".png")]
    untidy = [name for name in texts if not _tidy(ROOT / name)]
    # The token of the simulator is what the file holds, to the byte.
    assert untidy == ["ops/simulator.token"]


def _tidy(path: Path) -> bool:
    text = path.read_bytes().decode("utf-8")
    lines = text.split("\n")
    return not text or (not lines[-1] and "\r" not in text and all(line == line.rstrip(" \t") for line in lines))


def test_the_checks_before_a_commit_fetch_nothing() -> None:
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert {repo["repo"] for repo in repos} == {"local"}
    assert {hook["language"] for hook in HOOKS} == {"system"}


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook["id"]))
def test_a_check_before_a_commit_can_be_run(hook: dict[str, Any]) -> None:
    program, *words = shlex.split(hook["entry"])
    assert Path(program).parts[:2] == (".venv", "bin")
    project = (ROOT / "pyproject.toml").read_text()
    assert f'"{Path(program).name}>=' in project, "make install does not bring it"
    assert all((ROOT / word).exists() for word in words if "/" in word)
