"""A way from the broker that carries little in the time of a request: what is read comes late, and comes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from producer.kafka.connection import Connection
from producer.kafka.reader import PartitionReader
from producer.settings.sections import Kafka
from tests.integration.service.admin import Admin
from tests.integration.service.frail import FrailKafka
from tests.integration.service.proxy import Proxy

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

RATE, PATIENCE = 1e6, 4.0
"""Bytes a second, and seconds for a request, or without a step forward."""
RECORD = os.urandom(50_000)


async def test_many_full_partitions_are_no_more_than_an_answer_can_carry(
    frail: FrailKafka, proxy: Proxy, topic: str
) -> None:
    partitions = range(12)
    await Admin(frail.bootstrap).create(topic, len(partitions))
    async with _producer(frail, topic) as producer, producer.transaction():
        await asyncio.gather(*[await producer.send(topic, RECORD, partition=n) for n in partitions for _ in range(10)])
    proxy.back = RATE
    assert await _read(frail, topic, *partitions) == len(partitions) * 10


async def test_a_stretch_that_was_aborted_is_no_standstill(frail: FrailKafka, proxy: Proxy, topic: str) -> None:
    await Admin(frail.bootstrap).create(topic, 1)
    async with _producer(frail, topic) as producer:
        for number, end in ((5, "commit"), (160, "abort"), (5, "commit")):
            await producer.begin_transaction()
            await asyncio.gather(*[await producer.send(topic, RECORD, partition=0) for _ in range(number)])
            await getattr(producer, f"{end}_transaction")()
    proxy.back = RATE
    assert await _read(frail, topic, 0) == 10


async def _read(frail: FrailKafka, topic: str, *partitions: int) -> int:
    settings = Kafka(bootstrap_servers=frail.proxied, topic=topic, replication_factor=1)
    connection = Connection(settings, client_id="slow", request_timeout=PATIENCE)
    return sum([len(part.records) async for part in PartitionReader(connection, topic).parts(*partitions)])


@asynccontextmanager
async def _producer(frail: FrailKafka, topic: str) -> AsyncIterator[Any]:
    producer = AIOKafkaProducer(
        bootstrap_servers=frail.bootstrap, transactional_id=topic, max_batch_size=100_000, max_request_size=1 << 22
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()
