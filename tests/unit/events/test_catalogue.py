"""The schemas in the package are found, and closed for the writer."""

from __future__ import annotations

import json

import pytest

from producer.events import CURRENT, NoSuchSchema, schema
from producer.events.catalogue import closed, validator


def test_a_schema_is_found_by_name_and_by_version() -> None:
    assert schema("hit").version == CURRENT["hit"]
    assert json.loads(schema("hit", "1.0.0").text)["title"] == "Hit"
    with pytest.raises(NoSuchSchema, match=r"no schema hit 9\.0\.0; there are: coverage_gap 1\.0\.0, dead_letter"):
        schema("hit", "9.0.0")
    with pytest.raises(NoSuchSchema, match="no schema sale; there are"):
        schema("sale")


def test_closing_reaches_fields_within_fields_and_leaves_free_objects_free() -> None:
    inner = {"type": "object", "properties": {"b": {}}}
    shut = closed({"properties": {"a": inner, "list": {"items": inner}, "free": {"type": "object"}}})
    accepts = validator(shut).is_valid
    assert accepts({"a": {"b": 1}, "list": [{"b": 1}], "free": {"any": 1}})
    assert not accepts({"a": {"c": 1}})
    assert not accepts({"list": [{"c": 1}]})
    assert not accepts({"c": 1})
