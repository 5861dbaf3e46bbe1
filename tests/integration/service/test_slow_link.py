"""A way to the broker that carries less in a transaction's time than waits: the transactions become smaller."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from producer.core.ledger import shard_of
from producer.core.ports import Told
from producer.errors import TooSlow
from producer.kafka.census import Census
from producer.kafka.connection import Connection
from producer.kafka.store import KafkaShardStore
from producer.kafka.topics import TopicSetup
from producer.settings.sections import Kafka
from tests.integration.service.audit import read
from tests.integration.service.frail import FrailKafka
from tests.integration.service.proxy import Proxy
from tests.twins.recording_observer import RecordingObserver
from tests.unit.core.rig import Rig
from tests.unit.core.samples import SERVER, a_row

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

ROWS, BYTES = 30_000, 600
"""What waits, and about what a row takes on the way, its ledger record included."""
BOUND = 6.0
"""Seconds for a transaction in this test; all that waits takes three times as long."""


class UntilDrained(RecordingObserver):
    """Sets `drained` once all that waited is told."""

    def __init__(self) -> None:
        super().__init__()
        self.drained = asyncio.Event()

    def committed(self, shard: int, told: Mapping[str, Told], *, seconds: float) -> None:
        super().committed(shard, told, seconds=seconds)
        if sum(one.published for commit in self.commits for one in commit.values()) == ROWS:
            self.drained.set()


async def test_what_does_not_fit_into_a_transactions_time_goes_in_several(
    frail: FrailKafka, proxy: Proxy, topic: str
) -> None:
    observer = UntilDrained()
    rig = Rig(observer=observer)
    rig.api.standing = [a_row(f"6736.{number}") for number in range(ROWS)]
    proxy.rate = ROWS * BYTES / (3 * BOUND)
    shard = rig.shard(store=await _store(rig, frail, topic))
    shard.start()
    await asyncio.wait_for(observer.drained.wait(), timeout=180)
    proxy.rate = 0.0
    await shard.stop(within=5.0)
    keys = [record.key for record in await read(frail.bootstrap, topic)]
    assert len(keys) == len(set(keys)) == ROWS
    assert TooSlow in map(type, observer.commit_failures), "all of it fitted at once: the link was not slow"


async def _store(rig: Rig, frail: FrailKafka, topic: str) -> KafkaShardStore:
    settings = Kafka(bootstrap_servers=frail.proxied, topic=topic, replication_factor=1)
    connection = Connection(settings, client_id="slow")
    setup = TopicSetup(connection)
    topics = await setup.ready()
    return KafkaShardStore(
        number=shard_of(SERVER, topics.shards),
        servers=[SERVER],
        setup=setup,
        connection=connection,
        census=Census(connection=connection, setup=setup),
        clock=rig.clock,
        frames={},
        commit_bound=BOUND,
    )
