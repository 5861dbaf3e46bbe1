"""The connectors of examples/connect: a table of hits and one of changes, and the last word on each over both."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from producer.demo.broker import BrokerUnavailable
from producer.events import schema
from tests.conftest import not_to_be_had
from tests.integration.connect.postgres import Postgres, postgres
from tests.integration.connect.worker import connect, words
from tests.integration.consumers.groups import make_topic
from tests.integration.service.audit import Record, read
from tests.integration.service.stage import Stage

FOLDER = Path(__file__).parents[3] / "examples" / "connect"
PATIENCE = 90.0


def connector(name: str) -> dict[str, str]:
    """One of them as it stands in its file."""
    found: dict[str, str] = json.loads((FOLDER / name).read_text())
    return found


@pytest.mark.kafka
async def test_the_sink_keeps_each_event_once_and_its_view_the_last_word_on_each_hit(kafka: str) -> None:
    """Without a registry, over changes, an aborted transaction, records that come again, and one that is none."""
    base = f"w{uuid4().hex[:8]}.hits"
    said = await told(kafka, base)
    make_topic(kafka, f"{base}.table")
    with ExitStack() as stack:
        database = stack.enter_context(postgres())
        try:
            worker = stack.enter_context(connect(kafka, placed(connector("jdbc-sink.json"), kafka, base, database)))
        except BrokerUnavailable as error:
            not_to_be_had("Kafka Connect", error)
        tables, wanted = base.replace(".", "_"), sum(map(len, said.values()))
        events = f"SELECT count(*) FROM (SELECT FROM {tables} UNION ALL SELECT FROM {tables}_changes) AS event"
        deadline = time.monotonic() + PATIENCE
        # The record that is none went to the sink's own dead letters, and stopped nobody.
        while database.tried(events) != [[str(wanted)]] or not (letters := await read(kafka, f"{base}.table")):
            assert time.monotonic() < deadline, f"{database.tried(events)} of {wanted}: {words(worker)}"
        assert database.tried((FOLDER / "last_word.sql").read_text().replace("wolkvox_hits", tables)) is not None
        kept = database.tried("SELECT conn_id, hit FROM last_word") or []
    assert dict(kept) == {conn_id: last for conn_id, (*_, last) in said.items()}
    assert [letter.value for letter in letters] == [b"no JSON"]


async def told(kafka: str, base: str) -> Mapping[str, list[str]]:
    """What the service told of each hit, and beside it what a topic may also hold."""
    stage = Stage(bootstrap=kafka, topic=base, rate=20.0, typify_late=0.5)
    await stage.simulator.open()
    try:
        service = await stage.start()
        await service.until("committed", where=lambda line: bool(line["changes"]))
        await stage.caught_up(service)
        await service.stop()
        found = await stage.assert_exactly_once()
        said = found.said
        never_changed = next(record for record in found.hits if len(said[record.key]) == 1)
        others(kafka, base, aborted=never_changed, again=[*found.hits[:9], *found.changes[:9]])
        return said
    finally:
        await stage.close()


def others(kafka: str, base: str, *, aborted: Record, again: list[Record]) -> None:
    """Records of the service once more, some of them aborted with another word, and one that nobody can read."""
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": base})
    producer.init_transactions()
    producer.begin_transaction()
    # Behind the true one, which it would replace.
    producer.produce(base, json.dumps(aborted.json | {"hit": "aborted"}).encode(), aborted.key, aborted.partition)
    producer.flush()
    producer.abort_transaction()
    producer.begin_transaction()
    for record in again:
        topic = f"{base}.changes" if "first_observed_at" in record.json else base
        producer.produce(topic, record.value, record.key, headers=dict(record.headers))
    producer.produce(base, b"no JSON", b"poison")
    producer.commit_transaction()


def placed(found: dict[str, str], kafka: str, base: str, database: Postgres) -> dict[str, str]:
    """The connector with the test's own names in place of its own, and nothing else."""
    own = {
        "topics": f"{base},{base}.changes",
        "connection.url": database.url,
        "errors.deadletterqueue.topic.name": f"{base}.table",
        "errors.deadletterqueue.topic.replication.factor": "1",
    }
    assert own.keys() <= found.keys()
    return found | own


def test_both_connectors_differ_in_their_converter_alone() -> None:
    def without(found: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in found.items() if not name.startswith("value.converter")}

    assert without(connector("jdbc-sink.json")) == without(connector("jdbc-sink-registry.json"))


def test_the_schema_in_the_connector_has_the_fields_of_a_change_that_a_table_can_hold() -> None:
    """All but `extra`, an object of which nothing is known; what every event has is not null."""
    document: dict[str, Any] = schema("hit_changed").document
    given = json.loads(connector("jdbc-sink.json")["value.converter.schema.content"])
    names = [field["field"] for field in given["fields"]]
    assert sorted(names) == sorted(document["properties"].keys() - {"extra"})
    never_null = {field["field"] for field in given["fields"] if not field["optional"]}
    assert never_null == {
        name for name, rules in schema("hit").document["properties"].items() if rules["type"] == "string"
    }
    assert {field["type"] for field in given["fields"]} == {"string"}
