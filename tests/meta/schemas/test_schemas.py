"""The schemas folder keeps its promises to readers."""

from __future__ import annotations

import json
from typing import NotRequired, get_origin, get_type_hints

from producer.events import schemas
from producer.events.catalogue import packaged, schema, validator
from producer.model import GapKind, Hit, Reason
from tests.meta.schemas.checks import check_schemas


def test_nothing_is_wrong_with_the_schemas() -> None:
    """Released files unchanged, no misspelt keyword, each rule proved by an example, no reader broken."""
    findings = check_schemas()
    assert not findings, "\n".join(findings)


def test_the_hit_in_code_has_the_fields_of_the_schema() -> None:
    document = schema("hit").document
    assert set(Hit.__annotations__) == set(document["properties"])
    optional = {
        name for name, hint in get_type_hints(Hit, include_extras=True).items() if get_origin(hint) is NotRequired
    }
    assert optional == set(document["properties"]) - set(document["required"])


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
