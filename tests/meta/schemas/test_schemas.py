"""The schemas folder keeps its promises to readers."""

from __future__ import annotations

import json
from typing import NotRequired, get_origin, get_type_hints

import pytest

from producer.events import schemas
from producer.events.catalogue import packaged, schema, validator
from producer.model import GapKind, Hit, HitChanged, Reason
from tests.meta.schemas.checks import check_schemas


def test_nothing_is_wrong_with_the_schemas() -> None:
    """Released files unchanged, no misspelt keyword, each rule proved by an example, no reader broken."""
    findings = check_schemas()
    assert not findings, "\n".join(findings)


@pytest.mark.parametrize(("code", "name"), [(Hit, "hit"), (HitChanged, "hit_changed")])
def test_the_hit_in_code_has_the_fields_of_the_schema(code: type, name: str) -> None:
    document = schema(name).document
    hints = get_type_hints(code, include_extras=True)
    assert set(hints) == set(document["properties"])
    optional = {name for name, hint in hints.items() if get_origin(hint) is NotRequired}
    assert optional == set(document["properties"]) - set(document["required"])


def test_a_change_says_all_that_a_hit_says_and_when_it_was_first_shown() -> None:
    """By the same rules: what reads a hit reads a change."""
    hit, changed = schema("hit").document, schema("hit_changed").document
    assert set(changed["required"]) == {*hit["required"], "first_observed_at"}
    words = {"description", "examples"}
    for name, rules in hit["properties"].items():
        theirs = changed["properties"][name]
        assert {word: theirs[word] for word in theirs.keys() - words} == {
            word: rules[word] for word in rules.keys() - words
        }


def test_the_reasons_and_kinds_in_code_are_those_of_the_schemas() -> None:
    assert schema("dead_letter").document["properties"]["reason"]["enum"] == [reason.value for reason in Reason]
    assert schema("coverage_gap").document["properties"]["kind"]["enum"] == [kind.value for kind in GapKind]


def test_a_reader_accepts_what_only_the_writer_refuses() -> None:
    """Writer closed, reader open: an undeclared field is never sent, and would break nobody."""
    for one in schemas():
        folder = packaged() / one.name / "examples" / one.version / "invalid"
        for file in folder.iterdir():
            undeclared = file.name.startswith("additionalProperties")
            assert validator(one.document).is_valid(json.loads(file.read_text())) == undeclared, (one.name, file.name)
