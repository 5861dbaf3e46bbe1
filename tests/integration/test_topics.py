"""Topics on a cluster that makes any topic it is asked about, as Kafka's default is."""

from __future__ import annotations

import asyncio

import pytest

from producer.demo.broker import EmbeddedKafka
from producer.kafka.connection import Connection
from producer.kafka.topics import TopicSetup
from producer.model import Topic
from producer.settings import load
from tests.conftest import started


@pytest.mark.kafka
async def test_the_first_start_makes_the_topics_as_they_must_be_although_the_broker_would_make_any() -> None:
    with started(EmbeddedKafka(properties={"auto.create.topics.enable": "true"})) as broker:
        environ = {
            "WOLKVOX_SERVER": "0042",
            "WOLKVOX_TOKEN": "token",
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
            "KAFKA_PARTITIONS": "3",
        }
        created: list[str] = []
        setup = TopicSetup(
            Connection(load(config=None, environ=environ).kafka, client_id="test"), on_created=created.extend
        )
        topics = await asyncio.wait_for(setup.ready(), timeout=30)
    assert len(created) == 5
    assert topics.partitions == dict.fromkeys(Topic, 3) | {Topic.LEDGER: 12}
