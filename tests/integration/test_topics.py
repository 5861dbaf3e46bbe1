"""Topics at the first start: on a cluster that makes any topic that is asked about, and beside a frozen server."""

from __future__ import annotations

import asyncio
import socket

import pytest

from producer.demo.broker import EmbeddedKafka
from producer.kafka.connection import Connection
from producer.kafka.topics import TopicSetup
from producer.model import Topic
from producer.settings import load
from producer.settings.sections import Kafka
from tests.conftest import started

FOREVER = 3600.0


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


@pytest.mark.kafka
async def test_a_bootstrap_server_that_never_answers_is_not_waited_for(kafka: str, topic: str) -> None:
    """Its connections are accepted by the kernel, as with a broker that is frozen."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        listed = f"127.0.0.1:{mute.getsockname()[1]},{kafka}"
        setup = TopicSetup(Connection(Kafka(bootstrap_servers=listed, topic=topic), client_id="test", patience=FOREVER))
        async with asyncio.timeout(30):
            assert set((await setup.ready()).partitions) == set(Topic)
