"""A real schema registry beside Kafka: what it is given, what then is on the topics, and who can read that."""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.json_schema import JSONDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from producer.errors import AccessDenied, NoRegistry, Untrusted
from producer.events import CURRENT, ON_TOPIC, registered, schema
from producer.events.catalogue import packaged
from producer.events.registered import text_of
from producer.frame import frame
from producer.model import Topic
from producer.registry.client import SchemaRegistry
from producer.settings.secret import Secret
from producer.settings.sections import Registry
from tests.integration.registry.gate import Gate
from tests.integration.registry.java_reader import read_in_java
from tests.integration.security.certificates import Authority
from tests.integration.service.audit import Audit, Record
from tests.integration.service.conftest import Open
from tests.integration.service.instance import Instance
from tests.integration.service.stage import Stage

pytestmark = pytest.mark.kafka

JSON = "application/vnd.schemaregistry.v1+json"
HIT, GAP, RECOVERED = (schema(name).document for name in ("hit", "coverage_gap", "gap_recovered"))


def _with(document: dict[str, Any], field: str, *, required: bool = False) -> dict[str, Any]:
    """The next version of a schema."""
    needed = [*document["required"], *([field] if required else [])]
    return document | {"properties": document["properties"] | {field: {"type": "string"}}, "required": needed}


@pytest.fixture
async def gate(registry: str) -> AsyncIterator[Gate]:
    """What the service calls instead of the registry."""
    async with Gate(registry) as one:
        yield one


@pytest.fixture
async def api(registry: str) -> AsyncIterator[httpx.AsyncClient]:
    """The registry, for whoever keeps it."""
    async with httpx.AsyncClient(base_url=registry, trust_env=False, timeout=30, headers={"content-type": JSON}) as one:
        yield one


def by_topic(found: Audit) -> dict[Topic, Sequence[Record]]:
    return {
        Topic.HITS: found.hits,
        Topic.CHANGES: found.changes,
        Topic.DEAD_LETTER: found.dead_letters,
        Topic.COVERAGE: found.gaps,
    }


async def test_all_events_are_read_by_the_clients_of_registries(stages: Open, gate: Gate) -> None:
    """Every kind of event, of two instances one after the other; the second registers nothing anew."""
    stage = await stages(rate=10.0, window=4.0, typify_late=0.5)
    first = await stage.start("a", REGISTRY_URL=gate.url, WOLKVOX_WINDOW="2s")
    await every_kind_of_event(stage, first)
    await first.stop()
    asked = len(gate.asked)
    second = await stage.start("b", REGISTRY_URL=gate.url)
    known = await second.until("schemas_known")
    assert not any(call.endswith("/versions") for call in gate.asked[asked:])
    await gate.shut()  # once the ids are known it is not needed
    await stage.caught_up(second)
    await second.stop()
    found = await stage.assert_exactly_once()
    ids = dict(str(one).split() for one in known["schemas"])
    for topic, records in by_topic(found).items():
        frames = {record.value[:5] for record in records if record.value is not None}
        assert frames == {b"\0" + int(ids[f"{stage.topic}{topic}-value"]).to_bytes(4, "big")}
    assert not any(record.value.startswith(b"\0") for record in found.ledger if record.value)
    await gate.open()
    await asyncio.to_thread(assert_read_by_confluent, stage.topic, found, gate.url)


async def every_kind_of_event(stage: Stage, service: Instance) -> None:
    """Wait until hits and changes are told, then a dead letter, then a gap."""
    await service.until("committed", where=lambda line: bool(line["events"]))
    await service.until("committed", where=lambda line: bool(line["changes"]))
    stage.simulator.fault = "odd-rows"
    await service.until("committed", where=lambda line: bool(line["dead_letters"]))
    began, stage.simulator.fault = stage.clock.now().wall, "http-500"
    await stage.simulator.until(lambda: stage.clock.now().wall > began + 6)
    stage.simulator.fault = None
    await service.until("committed", where=lambda line: bool(line["gaps"]))


def assert_read_by_confluent(base: str, found: Audit, registry: str) -> None:
    """Its deserializer fetches the schema by the id in the frame, and validates."""
    client = SchemaRegistryClient({"url": registry})
    read = JSONDeserializer(None, schema_registry_client=client, conf={"validate": True})
    for topic, records in by_topic(found).items():
        where = SerializationContext(f"{base}{topic}", MessageField.VALUE)
        assert records
        assert [read(record.value, where) for record in records] == [record.json for record in records]


async def test_a_registry_that_is_away_at_the_start_is_waited_for(stage: Stage, gate: Gate) -> None:
    await gate.shut()
    service = await stage.start(REGISTRY_URL=gate.url)
    told = await service.until("registry_unavailable")
    assert f"{stage.topic}-value" in told["error"]
    ready = await stage.page(service, "/readyz")
    assert (ready.status_code, ready.json()["reasons"]) == (503, ["kafka: waiting for the schema registry"])
    await gate.open()
    await service.until("committed", where=lambda line: bool(line["events"]))
    await stage.caught_up(service)
    assert (await stage.page(service, "/readyz")).status_code == 200
    await service.stop()
    await stage.assert_exactly_once()


async def test_one_that_only_looks_up_ends_where_nobody_registered_and_runs_where_somebody_did(
    stage: Stage, gate: Gate, api: httpx.AsyncClient
) -> None:
    refused = await stage.start("a", REGISTRY_URL=gate.url, REGISTRY_REGISTER="false")
    assert await refused.ended() == 1
    assert f"REGISTRY_REGISTER is false, and subject {stage.topic}-value is not in the registry" in refused.raw[-1]
    for topic in ON_TOPIC:
        await register(api, f"{stage.topic}{topic}-value", registered(topic))
    service = await stage.start("b", REGISTRY_URL=gate.url, REGISTRY_REGISTER="false")
    await service.until("committed", where=lambda line: bool(line["events"]))
    await service.stop(signal.SIGINT)
    assert not any(call.endswith("/versions") for call in gate.asked)


async def test_a_subject_that_is_somebody_elses_ends_the_service_in_a_line_that_names_it(
    stage: Stage, registry: str, api: httpx.AsyncClient
) -> None:
    subject = f"{stage.topic}.changes-value"
    other = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "required": ["order"]}
    await register(api, subject, orjson.dumps(other | {"properties": {"order": {"type": "integer"}}}).decode())
    (await api.put(f"/config/{subject}", json={"compatibility": "BACKWARD"})).raise_for_status()
    service = await stage.start(REGISTRY_URL=registry)
    assert await service.ended() == 1
    assert (
        f"REGISTRY_URL: at subject {subject} our schema is not compatible with the one that it has" in service.raw[-1]
    )


async def test_a_registry_behind_tls_and_a_login_is_reached_by_who_knows_its_authority_and_a_password(
    registry: str, tmp_path: Path
) -> None:
    authority = Authority(tmp_path, "ca")
    leaf, tls = authority.server("registry"), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(leaf.chain, leaf.key)
    known, foreign = {"cafile": authority.file}, {"cafile": Authority(tmp_path, "foreign").file}
    login, wrong = _login("right"), _login("wrong")
    async with Gate(registry, tls=tls, password="right") as gate:
        assert len(await _client(gate.url, **known, **login).ids()) == len(ON_TOPIC)
        for settings, words in (
            ({}, "its certificate is not trusted .*; REGISTRY_CAFILE can name its authority .*any.hits-value"),
            (foreign, "its certificate is not trusted"),
            (known, "at subject any.hits-value it wants another REGISTRY_USERNAME and REGISTRY_PASSWORD"),
            (known | wrong, "at subject any.hits-value it wants another REGISTRY_USERNAME and REGISTRY_PASSWORD"),
        ):
            with pytest.raises(AccessDenied, match=words):
                await _client(gate.url, **settings).ids()
        gate.page = 503
        with pytest.raises(NoRegistry, match=r"any.hits-value"):
            await _client(gate.url, **known, **login).ids()
        gate.page = 200
        with pytest.raises(Untrusted, match=r"any.hits-value .*status 200, a page"):
            await _client(gate.url, **known, **login).ids()


async def test_a_reader_in_java_finds_in_the_frame_what_was_put_there(registry: str, tmp_path: Path) -> None:
    """Each of the examples beside our schemas, by Apicurio's deserializer, which validates too."""
    ids = await _client(registry).ids()
    examples = [
        (topic, orjson.loads(file.read_bytes()))
        for topic, names in ON_TOPIC.items()
        for name in names
        for file in (packaged() / name / "examples" / CURRENT[name] / "valid").iterdir()
    ]
    values = [(f"any.hits{topic}", frame(ids[topic]) + orjson.dumps(example)) for topic, example in examples]
    found = await asyncio.to_thread(read_in_java, registry, values, tmp_path)
    assert found == [example for _, example in examples]


async def test_an_address_that_is_not_the_apis_is_told_as_such(registry: str) -> None:
    for wrong in (registry.removesuffix("/apis/ccompat/v7"), f"{registry}/subjects"):
        with pytest.raises(Untrusted, match="the address ends where `/subjects` begins"):
            await _client(wrong).ids()


@pytest.mark.parametrize(
    ("before", "after", "taken"),
    [
        pytest.param([HIT], [HIT | {"title": "Other words"}], True, id="other words"),
        pytest.param([HIT], [_with(HIT, "note")], True, id="another optional field"),
        pytest.param([HIT], [_with(HIT, "note", required=True)], False, id="another field that is always there"),
        pytest.param([GAP, RECOVERED], [GAP, RECOVERED, HIT], True, id="another kind beside several"),
        pytest.param([GAP, RECOVERED], [_with(GAP, "note"), RECOVERED], True, id="another optional field of one kind"),
        pytest.param([GAP], [GAP, RECOVERED], False, id="another kind beside a single one"),
    ],
)
async def test_what_a_next_version_may_change_where_the_level_is_backward(
    api: httpx.AsyncClient, before: list[dict[str, Any]], after: list[dict[str, Any]], *, taken: bool
) -> None:
    """Which is Confluent's default."""
    subject = f"evolution-{uuid4().hex}-value"
    await register(api, subject, text_of(before))
    (await api.put(f"/config/{subject}", json={"compatibility": "BACKWARD"})).raise_for_status()
    answer = await api.post(f"/subjects/{subject}/versions", json={"schemaType": "JSON", "schema": text_of(after)})
    assert answer.status_code == (httpx.codes.OK if taken else httpx.codes.CONFLICT), answer.text


async def register(api: httpx.AsyncClient, subject: str, text: str) -> Any:
    answer = await api.post(f"/subjects/{subject}/versions", json={"schemaType": "JSON", "schema": text})
    answer.raise_for_status()
    return answer.json()["id"]


def _client(url: str, **settings: Any) -> SchemaRegistry:
    return SchemaRegistry(Registry(url=url, **settings), topic="any.hits")


def _login(password: str) -> dict[str, Any]:
    return {"username": "user", "password": Secret.of(password)}
