"""Killed with SIGKILL again and again while the call centre works: no hit twice, none missing."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from tests.integration.service.conftest import Open
from tests.integration.service.stage import Stage
from tests.integration.service.together import together

pytestmark = pytest.mark.kafka

KILLS = 20


async def test_twenty_kills_neither_lose_nor_double_a_hit(stages: Open) -> None:
    """Two call centres side by side, the service of one a static member, that of the other an ordinary one."""
    await together(kill_a_static_member(await stages()), kill_a_dynamic_member(await stages()))


async def kill_a_static_member(stage: Stage) -> None:
    """Each restart has its shard at once, so the kills can follow one another."""
    rng = Random(20)
    for number in range(KILLS):
        instance = await stage.start(f"life {number}", KAFKA_GROUP_INSTANCE_ID="one")
        await instance.until("shard_taken")
        # Not waiting for anything: the moment of the kill is what is varied, over two rounds of polls and commits.
        await asyncio.sleep(rng.uniform(0, 1.0))
        await instance.kill()
    last = await stage.start("the last", KAFKA_GROUP_INSTANCE_ID="one")
    await stage.caught_up(last)
    await last.stop()
    found = await stage.assert_exactly_once()
    commits = sum(len(instance.told("committed")) for instance in stage.instances)
    print(f"{KILLS} kills: {len(found.hits)} hits, {commits} transactions that lived to be logged")  # noqa: T201
    assert len(found.hits) > KILLS


async def kill_a_dynamic_member(stage: Stage) -> None:
    """The dead keep the shard until their session ends; the next life waits for it, and then reads the ledger."""
    for number in range(4):
        instance = await stage.start(f"life {number}")
        await instance.until("committed")
        await instance.kill()
    last = await stage.start("the last")
    await last.until("committed")
    await stage.caught_up(last)
    await last.stop()
    await stage.assert_exactly_once()
