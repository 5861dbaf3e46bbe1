"""What the documents ask a reader to type: it exists, and what needs no cluster is run as it stands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from typer.core import TyperGroup
from typer.main import get_command

from producer.commands.cli import app
from tests.meta.papers import ROOT, mentioned, typed

PROFILES = {
    profile
    for service in yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].values()
    for profile in service.get("profiles", [])
}
COMMANDS = [*typed(), *mentioned()]
ALONE = ("config", "schemas", "simulate --fault list")
"""Commands of ours that end by themselves and need neither an API nor Kafka."""
OPERATORS_OWN = {"wolkvox-hits.toml", "wolkvox-token", ".", "/etc/systemd/system/wolkvox-hits.service"}
"""Files that an operator makes."""


def words_of(command: str) -> list[list[str]]:
    """The words of each simple command, without what is set for it and where its output goes."""
    simple: list[list[str]] = [[]]
    for word in shlex.split(command, comments=True):
        if word in {"&&", "|"}:
            simple.append([])
        elif word != "sudo" and not (not simple[-1] and re.match(r"[A-Z_]+=", word)):
            simple[-1].append(word)
    return [words[: words.index(">")] if ">" in words else words for words in simple]


def ours(words: Sequence[str]) -> None:
    """A command of ours: the words of groups lead to one, and it has these options."""
    command, rest = get_command(app), list(words)
    while isinstance(command, TyperGroup) and rest and not rest[0].startswith("-"):
        command = command.commands[rest.pop(0)]
    known = {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]} | {
        "--help"
    }
    assert {word.partition("=")[0] for word in rest if word.startswith("-")} <= known


def make(words: Sequence[str]) -> None:
    subprocess.run(["make", "--dry-run", *words], cwd=ROOT, check=True, capture_output=True)


def python(words: Sequence[str]) -> None:
    option, module, *rest = words
    assert option == "-m"
    assert find_spec(module), module
    main = ROOT / module.replace(".", "/") / "__main__.py"
    assert all(f'"{word}"' in main.read_text() for word in rest if word.startswith("--"))


def docker(words: Sequence[str]) -> None:
    for option, value in pairwise(words):
        assert option != "--profile" or value in PROFILES
        assert option != "--env-file" or (ROOT / value).is_file()


def files(words: Sequence[str]) -> None:
    """Somebody else's program: the files of ours that it is given exist."""
    for word in words:
        path = re.sub(r"\[\w+\]$", "", word.rpartition("=")[2])  # without pip's extras
        if re.search(r"[/.]", path) and path not in OPERATORS_OWN and not path.startswith("/"):
            assert (ROOT / path).exists(), path


PROGRAMS: Mapping[str, Callable[[Sequence[str]], None]] = {
    "wolkvox-hits": ours,
    "make": make,
    "python": python,
    "python3": python,
    "docker": docker,
    **dict.fromkeys(
        (
            "chmod",
            "chown",
            "cp",
            "echo",
            "install",
            "kubectl",
            "pip",
            "pre-commit",
            "systemctl",
            "systemd-sysusers",
            "systemd-tmpfiles",
        ),
        files,
    ),
}
"""What is known of each program; one that is not here can't stand in a document."""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_exists_with_its_options_and_files(command: str) -> None:
    for program, *words in words_of(command):
        PROGRAMS[Path(program).name](words)


def test_what_needs_nobody_else_runs_as_it_stands(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    alone = [one for one in COMMANDS if one.removeprefix("wolkvox-hits ").startswith(ALONE)]
    # The file that others read is written first.
    for command in sorted(alone, key=lambda one: ">" not in one):
        done = subprocess.run(
            command,
            shell=True,
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    assert len(alone) > 5
