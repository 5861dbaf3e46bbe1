"""A ledger of a million ids: restored while somebody looks on."""

from __future__ import annotations

import asyncio

import pytest
from confluent_kafka import Producer

from producer.core.ledger import shard_of
from tests.integration.service.admin import Admin
from tests.integration.service.stage import Stage
from tests.twins.told import a_told

pytestmark = pytest.mark.kafka

IDS, TOGETHER = 1_000_000, 5
SHARDS = 12


async def test_a_million_ids_are_restored_with_their_progress_in_the_log_and_in_readyz(stage: Stage) -> None:
    server, ledger = stage.simulator.server, f"{stage.topic}.ledger"
    await Admin(stage.bootstrap).create(ledger, SHARDS, cleanup_policy="compact")
    await asyncio.to_thread(fill, stage.bootstrap, ledger, server)
    instance = await stage.start()
    first = await instance.until("restoring")
    answer = await stage.page(instance, "/readyz")
    (source,) = (await stage.page(instance, "/live.json")).json()["sources"]
    taken = await instance.until("shard_taken")
    told_of = instance.told("restoring")
    print(f"{taken['ids']:,} ids in {taken['milliseconds']} ms; lines: {[line['percent'] for line in told_of]}")  # noqa: T201
    assert taken["ids"] == IDS
    assert 0 < first["ids"] < IDS
    assert 0 < first["percent"] < 100
    assert first["shard"] == shard_of(server, SHARDS)
    assert answer.status_code == 503
    assert answer.json()["reasons"][0].startswith(f"source {server}: reading the ledger, ")
    assert source["state"] == "reading the ledger"
    assert source["error"].endswith("%")
    await instance.until("committed")
    assert (await stage.page(instance, "/readyz")).status_code == 200
    await instance.stop()


def fill(bootstrap: str, ledger: str, server: str) -> None:
    """The ids of a call centre that nobody ever had, as the service would have written them."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 50, "queue.buffering.max.messages": IDS})
    for first in range(0, IDS, TOGETHER):
        ids = (f"6736.4628.1040.{1_768_782_812 + number}.1814" for number in range(first, first + TOGETHER))
        record = a_told(*ids, server=server)
        producer.produce(ledger, partition=shard_of(server, SHARDS), key=record.key, value=record.value)
    assert producer.flush(60) == 0
