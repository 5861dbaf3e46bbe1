"""The schemas on the terminal and in a pipe."""

from __future__ import annotations

import json

import pytest

from producer.commands.schemas import schemas_list, schemas_print, schemas_registered
from producer.events import CURRENT, registered, schema
from producer.model import Topic
from tests.unit.commands.screens import pipe, printed, terminal


@pytest.mark.parametrize("width", [80, 120])
def test_the_list_names_each_schema_and_the_version_that_is_sent(width: int) -> None:
    console = terminal(width)
    assert schemas_list(console=console) == 0
    for name, version in CURRENT.items():
        (line,) = (line for line in printed(console) if line.startswith(f"{name} ") and f" {version} " in line)
        assert " sent " in line


def test_a_schema_is_printed_as_released() -> None:
    console = pipe()
    assert schemas_print("hit", console=console) == 0
    assert "\n".join(printed(console)) == "\n".join(line.rstrip() for line in schema("hit").text.splitlines())
    assert json.loads("\n".join(printed(console)))["$id"].endswith(CURRENT["hit"])


def test_what_a_registry_is_given_is_one_line_that_is_the_schema() -> None:
    console = pipe()
    assert schemas_registered(Topic.COVERAGE, console=console) == 0
    assert printed(console) == [registered(Topic.COVERAGE)]
