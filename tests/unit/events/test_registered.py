"""What a schema registry is given: one text a topic, for all that is written there and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import jsonschema_rs
import pytest

from producer.events import CURRENT, ON_TOPIC, registered
from producer.events.catalogue import packaged
from producer.model import Topic


def _examples(name: str, kind: str) -> Iterator[tuple[str, object]]:
    for file in (packaged() / name / "examples" / CURRENT[name] / kind).iterdir():
        yield file.name, json.loads(file.read_text())


def test_each_schema_has_its_topic_and_each_topic_but_the_ledger_its_schemas() -> None:
    assert sorted(name for names in ON_TOPIC.values() for name in names) == sorted(CURRENT)
    assert set(ON_TOPIC) == set(Topic) - {Topic.LEDGER}


@pytest.mark.parametrize("topic", ON_TOPIC)
def test_it_accepts_what_is_written_to_the_topic_and_refuses_what_never_is(topic: Topic) -> None:
    schema = json.loads(registered(topic))
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)
    for name in ON_TOPIC[topic]:
        for file, value in _examples(name, "valid"):
            assert validator.is_valid(value), (name, file)
        for file, value in _examples(name, "invalid"):
            assert not validator.is_valid(value), (name, file)


def test_several_kinds_on_a_topic_are_any_one_of_them() -> None:
    schema = json.loads(registered(Topic.COVERAGE))
    assert [kind["title"] for kind in schema["oneOf"]] == ["Coverage gap", "Gap recovered"]
    assert schema["title"] == "Coverage gap or Gap recovered"


@pytest.mark.parametrize("topic", ON_TOPIC)
def test_it_names_the_files_that_it_is_made_of_and_takes_the_name_of_none(topic: Topic) -> None:
    schema = json.loads(registered(topic))
    kinds = schema.get("oneOf", [schema])
    assert [kind["$comment"].split(",")[0] for kind in kinds] == [
        f"urn:wolkvox-hits:schema:{name}:{CURRENT[name]}" for name in ON_TOPIC[topic]
    ]
    assert not any("$id" in one for one in [schema, *kinds])
