"""Who else is in the group, or wants our place in it: said at once, and by `check` before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer

from producer.commands.check import look
from producer.commands.check_findings import Finding, Verdict
from producer.settings import load
from tests.integration.service.stage import Stage

pytestmark = pytest.mark.kafka


async def findings(stage: Stage, **settings: str | None) -> Mapping[str, Finding]:
    """What `check` says of Kafka, by subject."""
    found = await look(load(config=None, environ=stage.environment(**settings)))
    return {one.subject: one for one in found if one.area == "kafka"}


async def refused(stage: Stage, *, session: str | None = None) -> str:
    """Why `run` ends with exit 1."""
    instance = await stage.start(KAFKA_SESSION_TIMEOUT=session)
    assert await instance.ended() == 1
    assert instance.raw[-1].startswith("wolkvox-hits: ")
    return instance.raw[-1]


@pytest.mark.parametrize("seconds", ["3s", "31m"])
async def test_a_session_out_of_the_brokers_bounds_ends_with_the_bounds(stage: Stage, seconds: str) -> None:
    """It never goes away by waiting; Kafka's own are 6 s to half an hour."""
    line = await refused(stage, session=seconds)
    assert "KAFKA_SESSION_TIMEOUT is " in line
    assert "6 to 1800 s" in line
    found = (await findings(stage, KAFKA_SESSION_TIMEOUT=seconds))["group"]
    assert found.verdict is Verdict.FAILED
    assert "6 to 1800 s" in found.text


async def test_a_foreign_member_in_our_group_is_named(stage: Stage) -> None:
    """A console consumer, say, that was given the group of the service."""
    before = await stage.start("before")
    await before.until("committed")
    await before.stop()
    async with foreign(stage):
        line = await refused(stage)
        assert "somebody-elses at 127.0.0.1" in line
        assert "KAFKA_GROUP_ID" in line
        found = (await findings(stage))["group"]
        assert found.verdict is Verdict.FAILED
        assert "somebody-elses at 127.0.0.1" in found.text


async def test_two_of_one_instance_id_are_named_and_the_first_ends(stage: Stage) -> None:
    """They threw each other out once a second, for ever."""
    first = await stage.start("first", KAFKA_GROUP_INSTANCE_ID="one")
    await first.until("committed")
    found = (await findings(stage, KAFKA_GROUP_INSTANCE_ID="one"))["group"]
    assert found.verdict is Verdict.WARNING
    assert "KAFKA_GROUP_INSTANCE_ID one" in found.text
    assert (await findings(stage, KAFKA_GROUP_INSTANCE_ID="two"))["group"].verdict is Verdict.OK
    second = await stage.start("second", KAFKA_GROUP_INSTANCE_ID="one")
    assert await first.ended() == 1
    assert "another instance has KAFKA_GROUP_INSTANCE_ID one" in first.raw[-1]
    await stage.caught_up(second)
    await second.stop()
    await stage.assert_exactly_once()


async def test_check_joins_without_a_rebalance_of_the_running_group(stage: Stage) -> None:
    """It is told whether it might, and then goes away."""
    service = await stage.start()
    await service.until("committed")
    since = service.mark()
    assert (await findings(stage))["group"].verdict is Verdict.OK
    for _ in range(3):
        await service.until("poll_done", since=service.mark())
    assert not service.told("shards_assigned", since=since)
    await service.stop()


@asynccontextmanager
async def foreign(stage: Stage) -> AsyncIterator[None]:
    """A consumer of the hits in the group of the service."""
    consumer = AIOKafkaConsumer(
        stage.topic, bootstrap_servers=stage.bootstrap, group_id=stage.group, client_id="somebody-elses"
    )
    async with asyncio.timeout(30):
        await consumer.start()
    try:
        yield
    finally:
        await consumer.stop()
