"""What would break the readers of a released version is said in words, and what would not is left alone."""

from __future__ import annotations

import copy
import itertools
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from producer.events.catalogue import closed, schema, validator
from tests.meta.schemas.compatibility import breaking_changes, meaning_changes, same_but_for_words

if TYPE_CHECKING:
    from collections.abc import Callable

    Document = dict[str, Any]


def hit_schema() -> Document:
    return schema("hit", "1.0.0").document


def after(change: Callable[[Document], object], *, name: str = "hit") -> list[str]:
    """What readers of 1.0.0 would hear of a version with `change`."""
    old = schema(name, "1.0.0").document
    new = copy.deepcopy(old)
    change(new)
    return breaking_changes(old, new)


def test_a_version_without_changes_breaks_nothing() -> None:
    assert after(lambda _new: None) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda new: new["properties"].pop("telephone"), "telephone was removed"),
        (lambda new: new["properties"].pop("extra"), "extra was removed"),
        (lambda new: new["required"].remove("hit"), "hit is no longer always there"),
        (lambda new: new.pop("required"), "conn_id is no longer always there"),
        (
            lambda new: new["properties"]["observed_at"].update(type=["string", "null"]),
            "observed_at may now be of type null, which its readers never saw",
        ),
        (
            lambda new: new["properties"]["telephone"].update(type=["string", "null", "number"]),
            "telephone may now be of type number, which its readers never saw",
        ),
        (
            lambda new: new["properties"]["extra"].pop("type"),
            "extra may now be of type array, which its readers never saw",
        ),
        (
            lambda new: new["properties"]["occurred_at"].pop("format"),
            "occurred_at: format 'date-time' was changed to 'none'",
        ),
        (
            lambda new: new["properties"]["server"].update(pattern="^[0-9]{4,5}$"),
            "server: pattern '^[0-9]{4}$' was changed to '^[0-9]{4,5}$'",
        ),
        (lambda new: new["properties"]["conn_id"].update(minLength=0), "conn_id: minLength 1 was loosened to 0"),
        (lambda new: new["properties"]["conn_id"].update(maxLength=512), "conn_id: maxLength 256 was loosened to 512"),
        (lambda new: new["properties"]["conn_id"].pop("maxLength"), "conn_id: maxLength 256 was loosened to none"),
        (lambda new: new.update(type=["object", "array"]), "the event may now be of type array"),
        (lambda new: new["properties"].update(conn_id={"const": ""}), "conn_id may now be ''"),
    ],
)
def test_a_breaking_change_of_a_hit_is_told(change: Callable[[Document], object], sentence: str) -> None:
    assert any(said.startswith(sentence) for said in after(change)), after(change)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda new: new["properties"]["reason"]["enum"].append("stale"), "reason may now be 'stale'"),
        (lambda new: new["properties"].update(reason={"type": "string"}), "reason may now be something else than"),
        (lambda new: new["properties"].update(trimmed={"type": "boolean"}), "trimmed may now be something else"),
        (lambda new: new["properties"]["trimmed"].update(const=False), "trimmed may now be False"),
    ],
)
def test_a_breaking_change_of_a_value_list_is_told(change: Callable[[Document], object], sentence: str) -> None:
    assert any(said.startswith(sentence) for said in after(change, name="dead_letter"))


@pytest.mark.parametrize(
    "change",
    [
        lambda new: new["properties"].update(campaign={"type": "string"}),
        lambda new: (new["properties"].update(campaign={"type": "string"}), new["required"].append("campaign")),
        lambda new: new["required"].append("extra"),
        lambda new: new["properties"]["telephone"].update(type="string"),
        lambda new: new["properties"]["telephone"].update(maxLength=40, pattern="^[0-9]*$"),
        lambda new: new["properties"]["conn_id"].update(minLength=5, maxLength=100),
        lambda new: new["properties"]["extra"].update(properties={"agent_id": {"type": "string"}}),
        lambda new: new["properties"].update(server={"enum": ["0042", "0043"]}),
        lambda new: new["properties"]["hit"].update(description="Other words."),
    ],
)
def test_an_added_field_and_a_tighter_rule_break_nobody(change: Callable[[Document], object]) -> None:
    assert after(change) == []


def test_a_change_within_a_field_or_an_array_is_found_where_it_is() -> None:
    old = {"properties": {"a": {"items": {"properties": {"b": {"type": "string"}}}}}}
    new = {"properties": {"a": {"items": {"properties": {"b": {"type": "null"}}}}}}
    assert breaking_changes(old, new) == ["a[].b may now be of type null, which its readers never saw"]
    assert breaking_changes(old, {"properties": {"a": {}}}) == ["a[].b was removed"]


def test_a_whole_number_where_any_number_was_breaks_nobody() -> None:
    assert breaking_changes({"type": "number"}, {"type": "integer"}) == []
    assert breaking_changes({"type": "integer"}, {"type": "number"}) != []
    assert breaking_changes({"type": "string"}, {"type": ["string", "integer"]}) != []


def test_another_description_may_be_another_meaning() -> None:
    old, new = hit_schema(), hit_schema()
    new["properties"]["date"]["description"] = "When the row was stored."
    (said,) = meaning_changes(old, new)
    assert said.startswith("date: its description changed")
    assert meaning_changes(old, old) == []


def test_a_patch_is_told_from_a_minor_version() -> None:
    words, rules, field = hit_schema(), hit_schema(), hit_schema()
    words["properties"]["date"].update(description="Other words.", examples=["20260119000000"])
    rules["properties"]["date"]["maxLength"] = 40
    field["properties"]["campaign"] = {}
    assert same_but_for_words(hit_schema(), words)
    assert not same_but_for_words(hit_schema(), rules)
    assert not same_but_for_words(hit_schema(), field)


NAMES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
SCALARS = st.sampled_from([None, True, 0, 1, 2.5, "", "x", "2026-01-18T20:13:32Z"])
VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    1,
    2.5,
    "",
    "x",
    "xyz",
    "2026-01-18T20:13:32Z",
    [],
    [1],
    ["x", "x"],
    {},
    {"a": 1},
]
fields = st.fixed_dictionaries(
    {},
    optional={
        "type": NAMES | st.lists(NAMES, min_size=1, max_size=4, unique=True),
        "enum": st.lists(SCALARS, min_size=1, max_size=3, unique_by=repr),
        "const": SCALARS,
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(0, 3),
        "minimum": st.integers(-1, 2),
        "exclusiveMaximum": st.integers(-1, 3),
        "multipleOf": st.sampled_from([1, 2, 2.5]),
        "maxItems": st.integers(0, 2),
        "uniqueItems": st.booleans(),
        "minProperties": st.integers(0, 1),
        "pattern": st.sampled_from(["x", "^$"]),
        "format": st.just("date-time"),
        "items": st.fixed_dictionaries({}, optional={"type": NAMES, "minLength": st.integers(0, 2)}),
        "properties": st.fixed_dictionaries({"a": st.fixed_dictionaries({}, optional={"type": NAMES})}),
    },
)
documents = st.builds(
    lambda properties, required: {
        "type": "object",
        "properties": properties,
        "required": sorted(set(required) & properties.keys()),
    },
    properties=st.dictionaries(st.sampled_from("ab"), fields, max_size=2),
    required=st.lists(st.sampled_from("ab"), unique=True),
)


@st.composite
def _versions(draw: st.DrawFn) -> tuple[Document, Document]:
    """Two versions that differ in a few rules, as real ones do: two drawn apart are hardly ever compatible."""
    old = draw(documents)
    new = copy.deepcopy(old)
    for name in draw(st.lists(st.sampled_from("ab"), max_size=2)):
        if draw(st.booleans()):
            new["properties"].pop(name, None)
        new["properties"].setdefault(name, {}).update(draw(fields))
    new["required"] = sorted(
        set(draw(st.just(old["required"]) | st.lists(st.sampled_from("ab")))) & set(new["properties"])
    )
    return old, new


@settings(max_examples=400)
@given(versions=_versions())
def test_what_is_called_compatible_is_accepted_by_every_reader(versions: tuple[Document, Document]) -> None:
    old, new = versions
    compatible = breaking_changes(old, new) == []
    event("compatible" if compatible else "breaking")
    sends, reads = validator(closed(new)).is_valid, validator(old).is_valid
    for a, b in itertools.product([..., *VALUES], [..., *VALUES]):
        value = {name: chosen for name, chosen in (("a", a), ("b", b)) if chosen is not ...}
        if sends(value) and compatible:
            assert reads(value), value
