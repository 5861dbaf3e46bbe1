"""A shard's store that puts a registry's frame around values: what the broker gets, and how large it may be."""

from __future__ import annotations

import pytest

from producer.clock import SystemClock
from producer.core.ledger import owner_record
from producer.events import Record, size
from producer.frame import frame
from producer.kafka.census import Census
from producer.kafka.connection import Connection
from producer.kafka.store import KafkaShardStore
from producer.kafka.topics import TopicSetup
from producer.model import Topic
from producer.settings.sections import Kafka
from tests.integration.service.audit import read

pytestmark = pytest.mark.kafka


async def test_a_record_of_the_largest_size_fits_with_its_frame_and_the_ledger_has_none(kafka: str, topic: str) -> None:
    connection = Connection(
        Kafka(bootstrap_servers=kafka, topic=topic, partitions=1, replication_factor=1), client_id="frames"
    )
    setup = TopicSetup(connection)
    await setup.ready()
    store = KafkaShardStore(
        number=0,
        servers=[],
        setup=setup,
        connection=connection,
        census=Census(connection=connection, setup=setup),
        clock=SystemClock(),
        frames={Topic.HITS: frame(7)},
    )
    try:
        await store.take()
        assert store.limit == setup.topics.max_message_bytes - 5
        empty = Record(Topic.HITS, b"key", b"", [("ce_id", b"0042/1")])
        largest = empty._replace(value=b"x" * (store.limit - size(empty)))
        await store.commit([largest, owner_record(0, owner="me", taken_at="now")])
    finally:
        await store.discard()
    [record] = await read(kafka, topic)
    assert record.value == b"\0\0\0\0\x07" + largest.value
    assert all(entry.value is None or entry.value.startswith(b"{") for entry in await read(kafka, f"{topic}.ledger"))
