"""The least permissions are the least: without any one of them `run` does not start, and says which to grant."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from producer.demo.simulator import Simulator
from producer.errors import AccessDenied
from producer.kafka.connection import Connection
from producer.kafka.topics import TopicSetup
from producer.settings import load
from tests.integration.security.conftest import Secured
from tests.integration.security.ending import ends
from tests.integration.security.environments import api, plain
from tests.integration.security.grants import Grant, least

pytestmark = pytest.mark.kafka
BASE, GROUP = "least.hits", "least"
NEEDED = least(BASE, GROUP, create=False)
users = (f"user-{number}" for number in count(2))


@pytest.fixture(scope="module")
def topics(secured: Secured) -> None:
    """The five, made by somebody else."""
    secured.acls.topics(BASE)


@pytest.mark.parametrize("grant", NEEDED, ids=str)
async def test_without_any_one_grant_run_ends_and_names_it(
    secured: Secured, simulator: Simulator, topics: None, grant: Grant
) -> None:
    user = next(users)
    await asyncio.to_thread(secured.acls.grant, user, [one for one in NEEDED if one != grant])
    text = await _ends(secured, simulator, user, BASE)
    assert "grant " in text
    assert grant.operation in text
    assert grant.name in text
    others = {one.name for one in NEEDED if one.resource == "topic"} - {grant.name}
    assert not [name for name in others if f"{name}," in f"{text},"], text


async def test_without_read_on_the_hits_topic_run_ends_if_it_heals_gaps(
    secured: Secured, simulator: Simulator, topics: None
) -> None:
    user = next(users)
    await asyncio.to_thread(secured.acls.grant, user, NEEDED)
    names = {"KAFKA_TOPIC": BASE, "KAFKA_GROUP_ID": GROUP, "RECOVER_GAPS": "history"}
    assert (await ends(simulator, plain(secured, user) | names)).endswith(f"grant Read on topic {BASE}")


@pytest.mark.parametrize("resource", ["group", "transactional-id"])
async def test_a_standby_that_could_not_take_over_ends_at_its_start_too(
    secured: Secured, simulator: Simulator, topics: None, resource: str
) -> None:
    user = next(users)
    await asyncio.to_thread(secured.acls.grant, user, [one for one in NEEDED if one.resource != resource])
    names = {"KAFKA_TOPIC": BASE, "KAFKA_GROUP_ID": GROUP}
    settings = load(config=None, environ={**api(simulator), **plain(secured, user), **names})
    # All that happens before the group is joined, and so before any shard is taken.
    with pytest.raises(AccessDenied, match=resource.replace("-", " ")):
        await TopicSetup(Connection(settings.kafka, client_id="standby")).ready()


async def test_without_create_run_ends_and_names_both_ways_out(
    secured: Secured, simulator: Simulator, topic: str
) -> None:
    user = next(users)
    await asyncio.to_thread(secured.acls.grant, user, least(topic, GROUP, create=False))
    text = await _ends(secured, simulator, user, topic)
    assert f"grant Create on topic {topic}, {topic}.changes, " in text
    assert "KAFKA_CREATE_TOPICS=false" in text


async def test_without_any_grant_run_ends_and_names_the_topic(
    secured: Secured, simulator: Simulator, topics: None
) -> None:
    text = await _ends(secured, simulator, next(users), BASE)
    assert f"grant DescribeConfigs and Write on topic {BASE}, " in text
    assert f"DescribeConfigs and Read and Write on topic {BASE}.ledger" in text


async def _ends(secured: Secured, simulator: Simulator, user: str, topic: str) -> str:
    return await ends(simulator, plain(secured, user) | {"KAFKA_TOPIC": topic, "KAFKA_GROUP_ID": GROUP})
