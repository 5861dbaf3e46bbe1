"""The README says what is true: its tables come from the code, its commands exist, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.meta.readme import TABLES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def between(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", README, re.DOTALL)
    assert found is not None, f"README.md has no section {name}"
    return found[1].strip()


def commands() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_table_is_that_of_the_code(name: str) -> None:
    assert between(name) == TABLES[name](), "run `python -m tests.meta.readme`"


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["demo"]]
    names = [re.split(r"[<>=\[]", one)[0] for one in needed]
    missing = [name for name in names if not re.search(rf"^\|.*\b{re.escape(name)}\b.*\|", README, re.MULTILINE)]
    assert not missing


@pytest.mark.parametrize("command", [one for one in commands() if one.startswith("make ")])
def test_a_make_target_exists(command: str) -> None:
    subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.parametrize("command", [one for one in commands() if "wolkvox-hits " in one and "docker" not in one])
def test_a_command_and_its_options_exist(command: str) -> None:
    words = shlex.split(command.split(" > ", maxsplit=1)[0].split("wolkvox-hits ", 1)[1])
    names = [word for word in words if not word.startswith("-") and "." not in word]
    shown = subprocess.run(
        [sys.executable, "-m", "producer", *names, "--help"], check=True, capture_output=True, text=True
    ).stdout
    assert all(word in shown for word in words if word.startswith("--"))


def test_the_files_it_names_exist() -> None:
    for name in re.findall(r"`((?:producer|schemas|tests|ops)/[\w./-]+|[\w-]+\.(?:md|yml|toml))`", README):
        assert (ROOT / name).exists() or name == "wolkvox-hits.toml", name
