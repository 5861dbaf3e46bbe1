"""asyncapi.yaml is valid AsyncAPI 3, and says what the code sends and creates."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from typing import Any, get_args

import pytest
import yaml
from jsonschema_rs import Draft7Validator

from producer.events import CURRENT, TYPES, Events, Record
from producer.events.catalogue import packaged, schema, urn, validator
from producer.events.headers import RECOVERED
from producer.kafka.judgement import new_topic
from producer.model import Method, Topic
from producer.settings.sections import Kafka, Mechanism
from tests.unit.events.samples import LIMIT, OBSERVED, a_change, a_dead_row, a_gap, a_hit, a_recovery

DOCUMENT: dict[str, Any] = yaml.safe_load((packaged() / "asyncapi.yaml").read_text())
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
CHANNEL_OF = {
    Topic.HITS: "hits",
    Topic.CHANGES: "changes",
    Topic.DEAD_LETTER: "deadLetters",
    Topic.COVERAGE: "coverage",
}
SPECS = "@asyncapi/specs@6.11.1"
"""The official JSON Schemas of AsyncAPI; they are on npm only."""


def sent() -> dict[str, Record]:
    """A record of each message, by the message's name in the document."""
    events = Events(server="0042")
    hit = events.hit(a_hit(), limit=LIMIT)
    changed = events.change(a_change(), limit=LIMIT)
    assert isinstance(hit, Record)
    assert isinstance(changed, Record)
    return {
        "hit": hit,
        "hitChanged": changed,
        "deadLetter": events.dead_letter(a_dead_row(), observed_at=OBSERVED, limit=LIMIT),
        "coverageGap": events.coverage_gap(a_gap(), observed_at=OBSERVED),
        "gapRecovered": events.gap_recovered(a_recovery(), observed_at=OBSERVED),
    }


def headers_of(record: Record) -> dict[str, str]:
    return {name: value.decode() for name, value in record.headers}


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Draft7Validator:
    """The validator of AsyncAPI 3.0.0 by its makers."""
    if shutil.which("npm") is None:
        pytest.skip("no npm here, and the official AsyncAPI schema is on npm only")
    folder = tmp_path_factory.mktemp("asyncapi")
    packed = subprocess.run(
        ["npm", "pack", "--silent", SPECS], cwd=folder, capture_output=True, check=False, timeout=60
    )
    if packed.returncode:
        pytest.skip(f"npm can't fetch {SPECS}: the official AsyncAPI schema is on npm only")
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as files:
        file = files.extractfile("package/schemas/3.0.0.json")
        assert file is not None
        return Draft7Validator(json.load(file))


def test_the_document_is_asyncapi_3_by_the_official_schema(official: Draft7Validator) -> None:
    assert [error.message for error in official.iter_errors(DOCUMENT)] == []
    misspelt = json.loads(json.dumps(DOCUMENT).replace('"partitions"', '"partitons"'))
    assert not official.is_valid(misspelt)


def test_every_reference_leads_somewhere() -> None:
    def references(node: Any) -> list[str]:
        if isinstance(node, list):
            return [found for item in node for found in references(item)]
        if isinstance(node, dict):
            own = [node["$ref"]] if "$ref" in node else []
            return own + [found for item in node.values() for found in references(item)]
        return []

    found = references(DOCUMENT)
    assert len(found) >= 10
    for reference in found:
        if reference.startswith("#/"):
            node = DOCUMENT
            for step in reference.removeprefix("#/").split("/"):
                node = node[step]
        else:
            assert json.loads((packaged() / reference).read_text())["$id"]


@pytest.mark.parametrize("message", MESSAGES)
def test_the_headers_that_are_sent_are_those_described(message: str) -> None:
    described, headers = MESSAGES[message]["headers"], headers_of(sent()[message])
    assert set(headers) == set(described["required"]) == set(described["properties"]) - {RECOVERED}
    assert [error.message for error in validator(described).iter_errors(headers)] == []


@pytest.mark.parametrize("method", Method)
def test_the_mark_of_a_recovered_hit_is_the_one_described(method: Method) -> None:
    record = Events(server="0042", recovered=method).hit(a_hit(), limit=LIMIT)
    assert isinstance(record, Record)
    described, headers = MESSAGES["hit"]["headers"], headers_of(record)
    assert headers[RECOVERED] == method.value
    assert set(headers) == set(described["properties"])
    assert validator(described).is_valid(headers)


@pytest.mark.parametrize("message", MESSAGES)
def test_the_key_that_is_sent_is_the_one_described(message: str) -> None:
    described = MESSAGES[message]["bindings"]["kafka"]["key"]
    assert validator(described).is_valid(sent()[message].key.decode())


@pytest.mark.parametrize("message", MESSAGES)
def test_type_payload_and_dataschema_are_those_of_the_version_that_is_sent(message: str) -> None:
    described = MESSAGES[message]
    name, rules = described["name"], described["headers"]["properties"]
    assert described["payload"]["schema"]["$ref"] == f"./{name}/{CURRENT[name]}.json"
    assert rules["ce_type"]["const"] == TYPES[name]
    assert rules["ce_dataschema"]["const"] == urn(name, CURRENT[name])
    assert validator(schema(name).document).is_valid(json.loads(sent()[message].value))


@pytest.mark.parametrize("message", ["hit", "hitChanged"])
def test_the_example_is_what_the_code_sends(message: str) -> None:
    (example,) = MESSAGES[message]["examples"]
    record = sent()[message]
    assert example["headers"] == headers_of(record)
    assert example["payload"] == json.loads(record.value)


def test_the_channels_are_the_topics_that_are_created() -> None:
    assert set(CHANNEL_OF.values()) == DOCUMENT["channels"].keys()
    assert CHANNEL_OF.keys() == set(Topic) - {Topic.LEDGER}
    for topic in CHANNEL_OF:
        new, channel = new_topic(topic, Kafka()), DOCUMENT["channels"][CHANNEL_OF[topic]]
        described = channel["bindings"]["kafka"]
        assert channel["address"] == described["topic"] == new.name
        assert described["partitions"] == new.partitions
        assert new.config == {
            "message.timestamp.type": "LogAppendTime",
            "cleanup.policy": ",".join(described["topicConfiguration"]["cleanup.policy"]),
            "retention.ms": str(described["topicConfiguration"]["retention.ms"]),
        }


def test_the_topics_with_personal_data_are_marked() -> None:
    marked = {
        name for name, channel in DOCUMENT["channels"].items() if channel.get("tags") == [{"name": "personal-data"}]
    }
    assert marked == {"hits", "changes", "deadLetters"}


def test_the_ways_to_authenticate_are_those_of_the_settings() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]
    named = {each["description"].removeprefix("KAFKA_SASL_MECHANISM=").split(",")[0] for each in schemes.values()}
    mechanisms, *_ = get_args(Mechanism)
    assert named - {"Mutual TLS with KAFKA_SSL_CERTFILE and KAFKA_SSL_KEYFILE"} == set(get_args(mechanisms))
    used = {each["$ref"].rsplit("/", 1)[1] for each in DOCUMENT["servers"]["secure"]["security"]}
    assert used == set(schemes)
