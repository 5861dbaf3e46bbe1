"""The documents say what is true: their tables come from the code, and what they name and link to exists."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from producer.events.catalogue import schema, validator
from producer.observe.metrics import Metrics
from producer.settings import settings_table
from tests.meta.papers import MADE, NAMES, PAPERS, ROOT, WRITTEN, Paper, paper

PRODUCER = ROOT / "producer"
README = paper("README.md")
ELSEWHERE = {
    *("auto.create.topics.enable", "min.insync.replicas"),
    *("isolation.level", "consumer.isolation.level", "consumer.override.isolation.level"),
    "connector.client.config.override.policy",
}
"""What belongs to Kafka and is set there."""


@pytest.fixture(params=NAMES)
def one(request: pytest.FixtureRequest) -> Paper:
    """Each document."""
    return paper(request.param)


@pytest.fixture(params=PAPERS, ids=lambda paper: str(paper.name))
def present(request: pytest.FixtureRequest) -> Paper:
    """Each that tells of what is, and not of what was."""
    found: Paper = request.param
    return found


@pytest.mark.parametrize(("name", "section"), WRITTEN)
def test_what_the_code_writes_is_as_the_code_writes_it(name: str, section: str) -> None:
    assert paper(name).between(section) == WRITTEN[name, section](), "run `python -m tests.meta.papers`"


@pytest.mark.parametrize("name", MADE)
def test_what_the_code_writes_as_a_file_is_as_the_code_writes_it(name: str) -> None:
    assert (ROOT / name).read_text() == MADE[name](), "run `python -m tests.meta.papers`"


def test_a_link_leads_somewhere(one: Paper) -> None:
    for _, target in one.links:
        path, _, anchor = target.partition("#")
        if path.startswith(("https://", "http://")):
            continue
        found = (ROOT / one.name).parent / path if path else ROOT / one.name
        assert found.exists(), target
        if anchor:
            assert anchor in Paper(str(found), found.read_text()).anchors, target


def test_a_linked_name_is_defined_in_the_file_behind_the_link(one: Paper) -> None:
    for text, target in one.links:
        if text.startswith("`") and target.endswith(".py"):
            assert text.strip("`") in defined((ROOT / one.name).parent / target), f"{text} in {target}"


def test_a_file_that_is_named_exists(present: Paper) -> None:
    for span in present.spans:
        if span not in settings_table() and re.fullmatch(
            r"[\w.-]+(/[\w.-]*)+|[\w-]+\.(py|md|ya?ml|toml|json|lock)", span
        ):
            assert any((base / span).exists() for base in (ROOT, PRODUCER, (ROOT / present.name).parent)) or made(
                span
            ), span


def test_a_word_in_backticks_is_one_of_the_code(present: Paper) -> None:
    """A setting, a metric, a field, a function that was renamed shows here, unless the old name lives on elsewhere."""
    spans = [span for span in present.spans if span not in ELSEWHERE]
    unknown = {word: span for span in spans for word in re.findall(r"\b[A-Za-z_]\w{2,}", span) if word not in words()}
    assert not unknown


def test_the_readme_is_read_to_its_end() -> None:
    assert len(README.text.splitlines()) <= 200


def test_the_event_that_is_shown_is_one() -> None:
    shown = re.findall(r"```json\n(.*?)```", README.text, re.DOTALL)
    assert shown
    assert all(validator(schema("hit").document).is_valid(json.loads(event)) for event in shown)


def made(span: str) -> bool:
    """Whether a file is one that commands make: what git is told to leave alone, or the operator's own."""
    ignored = (ROOT / ".gitignore").read_text().split()
    return span in {"wolkvox-hits.toml", *ignored} or f"{span.split('/', maxsplit=1)[0]}/" in ignored


@cache
def defined(path: Path) -> set[str]:
    """The names at a module's top, and those in its classes behind `Class.`."""
    tree = ast.parse(path.read_text())
    found = set(_names(tree.body))
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{name}" for name in _names(node.body)}
    return found


def _names(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from (target.id for target in targets if isinstance(target, ast.Name))


@cache
def words() -> set[str]:
    """Every word of the code, of what is configured, and of the names of files; the documents' own do not count."""
    found = {*re.findall(r"\w+", settings_table()), *(name for name, *_ in Metrics().table())}
    for path in sources():
        found |= {
            *re.findall(r"\w+", path.read_text(errors="replace")),
            *re.findall(r"\w+", path.name),
            path.parent.name,
        }
    return found


def sources() -> Iterator[Path]:
    folders = [ROOT / name for name in ("producer", "schemas", "tests", "examples", "ops")]
    yield from (path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix != ".md")
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.suffix not in {".md", ".lock"})
