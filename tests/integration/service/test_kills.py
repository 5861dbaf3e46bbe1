"""Killed with SIGKILL again and again while the call centre works: no hit twice, none missing."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from tests.integration.service.stage import Stage

pytestmark = pytest.mark.kafka

KILLS = 20


async def test_twenty_kills_neither_lose_nor_double_a_hit(stage: Stage) -> None:
    """A static member, so that each restart has its shard at once; killed at any moment after its shard was taken."""
    rng = Random(20)
    for number in range(KILLS):
        instance = await stage.start(f"life {number}", KAFKA_GROUP_INSTANCE_ID="one")
        await instance.until("shard_taken")
        # Not waiting for anything: the moment of the kill is what is varied, over two rounds of polls and commits.
        await asyncio.sleep(rng.uniform(0, 1.5))
        await instance.kill()
    last = await stage.start("the last", KAFKA_GROUP_INSTANCE_ID="one")
    await stage.caught_up(last)
    await last.stop()
    found = await stage.assert_exactly_once()
    commits = sum(len(instance.told("committed")) for instance in stage.instances)
    print(f"{KILLS} kills: {len(found.hits)} hits, {commits} transactions that lived to be logged")  # noqa: T201
    assert len(found.hits) > KILLS


async def test_kills_of_dynamic_members_neither_lose_nor_double_a_hit(stage: Stage) -> None:
    """The dead keep the shard until their session ends; the next life waits for it, and then reads the ledger."""
    for number in range(3):
        instance = await stage.start(f"life {number}")
        await instance.until("committed")
        await instance.kill()
    last = await stage.start("the last")
    await last.until("committed")
    await stage.caught_up(last)
    await last.stop()
    await stage.assert_exactly_once()
