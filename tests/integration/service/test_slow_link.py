"""A way to the broker that carries less in a transaction's time than waits: the transactions become smaller."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

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

BYTES = 600
"""About what a row takes on the way, its ledger record included."""


class UntilDrained(RecordingObserver):
    """Sets `drained` once all of `rows` are told."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.rows = rows
        self.drained = asyncio.Event()

    def committed(self, shard: int, told: Mapping[str, Told], *, seconds: float) -> None:
        super().committed(shard, told, seconds=seconds)
        if sum(one.published for commit in self.commits for one in commit.values()) == self.rows:
            self.drained.set()


class Link(NamedTuple):
    """How long all `rows` take, and the bounds of a transaction and of a request, in seconds."""

    rows: int
    takes: float
    bound: float
    request_timeout: float


@pytest.mark.parametrize(
    "link",
    [Link(30_000, takes=18.0, bound=6.0, request_timeout=20.0), Link(6_000, takes=7.2, bound=5.0, request_timeout=2.0)],
    ids=["the transaction takes too long", "so does one request of it"],
)
async def test_what_does_not_fit_into_a_transactions_time_goes_in_several(
    frail: FrailKafka, proxy: Proxy, topic: str, link: Link
) -> None:
    """Of several batches of a partition each waits for the one before, and on a way that is slow enough that fails by
    the time-out of requests, before the transaction's."""
    observer = UntilDrained(link.rows)
    rig = Rig(observer=observer)
    rig.api.standing = [a_row(f"6736.{number}") for number in range(link.rows)]
    proxy.rate = link.rows * BYTES / link.takes
    shard = rig.shard(store=await _store(rig, frail, topic, link))
    shard.start()
    await asyncio.wait_for(observer.drained.wait(), timeout=180)
    proxy.rate = 0.0
    await shard.stop(within=5.0)
    keys = [record.key for record in await read(frail.bootstrap, topic)]
    assert len(keys) == len(set(keys)) == link.rows
    assert TooSlow in map(type, observer.commit_failures), "all of it fitted at once: the link was not slow"


async def _store(rig: Rig, frail: FrailKafka, topic: str, link: Link) -> KafkaShardStore:
    settings = Kafka(bootstrap_servers=frail.proxied, topic=topic, partitions=12, replication_factor=1)
    connection = Connection(settings, client_id="slow", request_timeout=link.request_timeout)
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
        commit_bound=link.bound,
    )
