"""Three brokers, replication factor 3, min.insync.replicas 2: each dies once, and nobody downstream notices."""

from __future__ import annotations

import asyncio

import pytest

from producer.demo.broker import EmbeddedCluster
from tests.integration.service.admin import Admin
from tests.integration.service.calm import calm
from tests.integration.service.conftest import Open
from tests.integration.service.instance import Instance
from tests.integration.service.stage import Stage

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

AGAIN = 60.0
"""Seconds for the first commit after a leader's death: sessions of brokers and members, and one backoff."""


async def test_each_of_three_brokers_dies_in_turn_and_nothing_is_lost_or_doubled(
    stages: Open, cluster: EmbeddedCluster
) -> None:
    stage = await stages(bootstrap=cluster.bootstrap)
    owner = await stage.start("a", KAFKA_REPLICATION_FACTOR="3")
    await owner.until("committed")
    standby = await stage.start("b", KAFKA_REPLICATION_FACTOR="3")
    await standby.until("shards_assigned")
    for node in cluster.nodes:
        await asyncio.to_thread(node.kill)
        async with calm(owner), calm(standby):
            await commits_again(owner, standby)
        await asyncio.to_thread(cluster.start)
    await Admin(cluster.bootstrap).configure(stage.topic, "min.insync.replicas", "3")
    await asyncio.to_thread(cluster.nodes[0].kill)
    await waits_for_replicas(stage, owner, standby)
    await asyncio.to_thread(cluster.start)
    await commits_again(owner, standby)
    await stage.caught_up(owner, standby)
    found = await stage.assert_exactly_once()
    assert len(found.ids) > 100


async def waits_for_replicas(stage: Stage, *instances: Instance) -> None:
    """What too few replicas take is tried again and again by the client; the probe says so long before that ends."""
    (holder,) = [one for one in instances if 2 in (await stage.page(one, "/status.json")).json()["shards"]]
    async with calm(holder):
        polls = stage.simulator.polls
        await stage.simulator.until(lambda: stage.simulator.polls >= polls + 15)
        answer = await stage.page(holder, "/readyz")
    print(answer.json()["reasons"])  # noqa: T201
    assert answer.status_code == 503
    assert answer.json()["reasons"][0].startswith("kafka: ")


async def commits_again(*instances: Instance) -> None:
    """Whichever holds the shard now has told something since."""
    waits = [asyncio.create_task(one.until("committed", since=one.mark())) for one in instances]
    done, late = await asyncio.wait(waits, timeout=AGAIN, return_when=asyncio.FIRST_COMPLETED)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    assert done, f"nothing committed within {AGAIN:g} s"
