"""The documents' maps and tables have all that there is and nothing else: rooms, packages, commands, paths."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from producer import __version__
from producer.commands.cli import app
from producer.observe.metrics import POLL_OUTCOMES, Metrics
from producer.observe.server import StatusServer
from tests.meta.papers import NAMES, ROOT, paper
from tests.simulation.planted import BUGS
from tests.unit.observe.statuses import healthy

PRODUCER = ROOT / "producer"
README = paper("README.md")


def test_every_dependency_has_its_line_and_every_line_its_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *(f"{one} (extra `demo`)" for one in project["optional-dependencies"]["demo"])]
    names = [re.sub(r"[<>=\[][^ ]*", "", one) for one in needed]
    assert sorted(row[0] for row in README.table("## Dependencies")) == sorted(names)


def test_every_tool_of_development_has_its_line() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    needed = [re.sub(r"[<>=\[].*", "", one) for one in extras["dev"] if not one.startswith("wolkvox-hits")]
    told = [name for row in paper("CONTRIBUTING.md").table("## Tools of development") for name in row[0].split(", ")]
    assert sorted(told) == sorted(needed)


def test_the_map_of_the_tests_is_that_of_the_folders() -> None:
    told = [row[0].strip("`") for row in paper("CONTRIBUTING.md").table("## The rooms of the tests")]
    assert sorted(told) == sorted(f"tests/{path.parent.name}/" for path in (ROOT / "tests").glob("*/__init__.py"))


def test_what_is_released_is_what_the_code_says_it_is() -> None:
    """The number of a release, or that of the next while what changed has none yet."""
    changes = paper("CHANGELOG.md").text
    latest = re.findall(r"^## \[(\d.*?)\] - \d{4}-\d\d-\d\d$", changes, re.MULTILINE)[0]
    unreleased = "## [Unreleased]" in changes
    assert (__version__ != latest, __version__.endswith(".dev0")) == (unreleased, unreleased)
    image = re.findall(r"image: wolkvox-hits:(\S+)", (ROOT / "ops/kubernetes/base/deployment.yaml").read_text())
    assert image == [__version__]


def test_the_map_of_the_rooms_is_that_of_the_folders() -> None:
    told = [span for row in README.table("## Rooms") for span in re.findall(r"`([^`]+)`", row[0])]
    folders = {f"{path.parent.relative_to(PRODUCER)}/" for path in PRODUCER.rglob("__init__.py")} - {"./"}
    modules = {path.name for path in PRODUCER.glob("[!_]*.py")}
    assert sorted(told) == sorted(folders | modules)


def test_the_map_of_the_core_is_that_of_its_modules() -> None:
    told = [re.findall(r"\[([\w.]+)\]", row[0])[0] for row in paper("docs/architecture.md").table("## The map")]
    assert sorted(told) == sorted(path.name for path in (PRODUCER / "core").glob("[!_]*.py"))


def test_the_map_of_the_documents_has_them_all() -> None:
    told = {target for row in README.table("## Documents") for target in re.findall(r"\((.*?)\)", row[1])}
    assert told == set(NAMES) - {"README.md"}


def test_every_command_has_its_line() -> None:
    rows = paper("docs/operating.md").table("## Commands for an operator")
    told = {tuple(span.split()[1:]) for row in rows for span in re.findall(r"`(wolkvox-hits [^`]*)`", row[0])}
    missing = [command for command in commands() if not any(one[: len(command)] == command for one in told)]
    assert not missing


@pytest.mark.parametrize("name", ["docs/proof.md", "docs/decisions.md", "tests/simulation/README.md"])
def test_the_planted_bugs_are_counted(name: str) -> None:
    assert set(re.findall(r"(\d+) (?:planted )?bugs", paper(name).text)) == {str(len(BUGS))}


def test_every_outcome_of_a_poll_has_its_line() -> None:
    told = [row[0].strip("`") for row in paper("docs/operating.md").table("### How a poll ended")]
    assert sorted(told) == sorted(POLL_OUTCOMES)


def test_what_a_refusal_says_is_what_the_code_says() -> None:
    rows = paper("docs/operating.md").table("### What only a person can mend")
    told = [span for row in rows for span in re.findall(r"`([^`]+)`", row[0])]
    said = [text for path in PRODUCER.rglob("*.py") if "schemas" not in path.parts for text in texts(path)]
    assert len(told) > 5
    assert not [span for span in told if not any(span in text for text in said)]


async def test_every_path_that_is_told_is_answered() -> None:
    told = [row[0].strip("`") for row in paper("docs/operating.md").table("## What it says about itself")]
    server = StatusServer(host="127.0.0.1", port=0, status=healthy, metrics=Metrics())
    url = await server.start()
    try:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            assert {path: (await http.get(path)).status_code for path in told} == dict.fromkeys(told, 200)
    finally:
        await server.stop()


def commands() -> Iterator[tuple[str, ...]]:
    """Every command, by the words that call it."""
    for command in app.registered_commands:
        assert command.callback is not None
        yield (command.name or command.callback.__name__,)
    for group in app.registered_groups:
        assert group.typer_instance is not None
        yield from ((str(group.name), str(one.name)) for one in group.typer_instance.registered_commands)


def texts(path: Path) -> Iterator[str]:
    """Every text of a module, what is put into it as three dots."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "..." for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
