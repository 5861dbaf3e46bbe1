"""What another program finds on the topic of a service that was configured by its environment only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema_rs
import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from producer.demo.simulator.callcentre import SimulatedHit
from tests.integration.service.audit import Record, read
from tests.integration.service.instance import REPOSITORY
from tests.integration.service.stage import Stage

pytestmark = pytest.mark.kafka

SCHEMA = Path(REPOSITORY, "schemas/hit/1.0.0.json").read_bytes()


async def test_what_is_on_the_topic_is_what_other_programs_expect(stage: Stage) -> None:
    """One service's output, looked at from three sides."""
    began = stage.clock.now().wall
    found = await published(stage)
    assert_valid(stage, found)
    await assert_placed(stage, found)
    # The moment of the batch, not of the call, which may lie an hour back: retention goes by this time.
    ended = stage.clock.now().wall + 60
    assert all(began <= record.timestamp / 1000 <= ended for record in found)


def assert_valid(stage: Stage, found: list[Record]) -> None:
    """Checked with the released schema as it stands, the CloudEvents SDK, and the call centre's own books."""
    schema = jsonschema_rs.validator_for(orjson.loads(SCHEMA), validate_formats=True)
    calls = {hit.conn_id: hit for hit in calls_of(stage)}
    for record in found:
        assert not list(schema.iter_errors(record.json))
        assert_is_event(record)
        assert_says(record, calls[record.key])


async def assert_placed(stage: Stage, found: list[Record]) -> None:
    """librdkafka's murmur2 partitioner, which is the Java client's, sends the same keys to the same partitions."""
    theirs = f"{stage.topic}.theirs"
    await asyncio.to_thread(produce, stage.bootstrap, theirs, [record.key for record in found])
    places = {record.key: record.partition for record in await read(stage.bootstrap, theirs)}
    assert {record.key: record.partition for record in found} == places
    assert len(set(places.values())) == 3


async def published(stage: Stage) -> list[Record]:
    """The hits of a service that has told all there was."""
    instance = await stage.start()
    await stage.caught_up(instance)
    await instance.stop()
    found = list((await stage.assert_exactly_once()).hits)
    assert len(found) > 100
    return found


def assert_is_event(record: Record) -> None:
    """Exactly the headers of the contract, and an event for the official SDK."""
    value, headers = record.json, {name: text.decode() for name, text in record.headers.items()}
    assert headers == {
        "ce_specversion": "1.0",
        "ce_type": "wolkvox.hit",
        "ce_source": "/wolkvox/0042/hits_last_hour",
        "ce_id": f"0042/{record.key}",
        "ce_time": value["observed_at"],
        "ce_subject": record.key,
        "ce_dataschema": "urn:wolkvox-hits:schema:hit:1.0.0",
        "content-type": "application/json",
    }
    assert record.value is not None
    event = from_kafka_event(KafkaMessage(headers=dict(record.headers), key=record.key.encode(), value=record.value))
    assert event.get_data() == value


def assert_says(record: Record, call: SimulatedHit) -> None:
    """The fields of the API as sent, the moment of the call in its zone, and nothing else."""
    value: dict[str, Any] = record.json
    assert value["hit"] in {call.row["hit"], *(code for _, code in call.later)}  # typified before it was first shown
    assert {name: value[name] for name in call.row} == call.row | {"hit": value["hit"]}
    date = call.row["date"]
    spelt = f"{date[:4]}-{date[4:6]}-{date[6:8]}T{date[8:10]}:{date[10:12]}:{date[12:]}-05:00"
    assert value["occurred_at"] == spelt
    assert value["server"] == "0042"
    assert value.keys() == {*call.row, "server", "occurred_at", "observed_at"}


def calls_of(stage: Stage) -> Iterable[SimulatedHit]:
    """Every call that can have been in a report of the last two minutes."""
    centre, now = stage.simulator.sources["0042"].centre, stage.clock.now().wall
    return map(centre.hit, range(centre.numbers(now - 120).start, centre.numbers(now).stop))


def produce(bootstrap: str, topic: str, keys: list[str]) -> None:
    """Send these keys as a Java client would place them."""
    admin = AdminClient({"bootstrap.servers": bootstrap})  # by a name of its own: it must outlive the request
    admin.create_topics([NewTopic(topic, 3, 1)])[topic].result(timeout=20)
    producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "client.id": uuid4().hex})
    for key in keys:
        producer.produce(topic, key=key, value=b"")
    assert producer.flush(20) == 0
