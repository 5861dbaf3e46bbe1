"""What people read about the settings is made from the code, and holds."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from producer.settings import example_toml, load, settings_table
from producer.settings.layers import KNOWN, SECTIONS
from producer.settings.problems import env_name
from producer.settings.sources import Table
from tests.unit.settings.reading import ONE, read

EXAMPLE = Path(__file__).parents[3] / "wolkvox-hits.example.toml"
ASSIGNMENT = re.compile(r"^# (?=[a-z_]+ = )", re.MULTILINE)


def _without_default() -> set[str]:
    return {name for section in SECTIONS.values() for name, one in section.model_fields.items() if one.default is None}


def test_the_example_file_is_what_the_code_says() -> None:
    assert EXAMPLE.read_text("utf-8") == example_toml(), (
        "write it again: python -c 'from producer.settings import example_toml; print(example_toml(), end=\"\")'"
        f" > {EXAMPLE.name}"
    )


def test_the_example_file_changes_nothing_as_it_is() -> None:
    assert _sections(load(config=EXAMPLE, environ=ONE)) == _sections(read())


def test_the_example_files_defaults_are_the_defaults(tmp_path: Path) -> None:
    lines = ASSIGNMENT.sub("", example_toml()).partition("# Several sources")[0].splitlines()
    unset = _without_default()
    config = tmp_path / "all.toml"
    config.write_text("\n".join(line for line in lines if line.partition(" = ")[0] not in unset))
    settings = load(config=config, environ=ONE)
    assert _sections(settings) == _sections(read())
    given = [origin for origin in settings.origins.values() if origin == f"file {config}"]
    assert len(given) == sum(name not in unset for _, name in KNOWN)


def test_the_example_file_has_every_setting() -> None:
    parsed = tomllib.loads(ASSIGNMENT.sub("", example_toml()).replace("# [[source]]", "[[source]]"))
    (table,) = parsed.pop("source")
    assert {(section, name) for section, given in parsed.items() for name in given} == set(KNOWN)
    assert set(table) == set(Table.model_fields)


@pytest.mark.parametrize(("section", "name"), KNOWN)
def test_each_example_value_is_accepted(section: str, name: str, tmp_path: Path) -> None:
    field = SECTIONS[section].model_fields[name]
    value = (field.examples or [None])[0]
    if name.startswith("ssl_") or name == "cafile":  # these are opened
        value = str(tmp_path / "file")
        (tmp_path / "file").touch()
    assert name in SECTIONS[section].model_validate({name: value}).model_fields_set


def test_every_setting_has_its_meaning_and_default_in_the_table() -> None:
    rows = [line.split(" | ") for line in settings_table().splitlines()[2:]]
    assert [row[0].removeprefix("| ") for row in rows] == [env_name(*one) for one in KNOWN]
    assert all(len(row) == 3 and row[1] and row[2].removesuffix(" |") for row in rows)
    assert {row[0]: row[1] for row in rows}["| KAFKA_RETENTION"] == "`7d`"


def _sections(settings: Any) -> dict[str, Any]:
    return {name: _values(getattr(settings, name)) for name in SECTIONS}


def _values(section: BaseModel) -> dict[str, Any]:
    return section.model_dump(mode="json")
