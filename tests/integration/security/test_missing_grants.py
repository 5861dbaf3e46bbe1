"""The least permissions are the least: without any one of them `run` does not start, and says which to grant."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from producer.demo.simulator import Simulator
from tests.integration.security.conftest import Secured
from tests.integration.security.environments import api, plain
from tests.integration.security.grants import Grant, least
from tests.integration.security.instance import Ended, running
from tests.integration.security.secured import PASSWORD

pytestmark = pytest.mark.kafka
BASE, GROUP = "least.hits", "least"
NEEDED = least(BASE, GROUP, create=False)
# A process takes two seconds to start on a busy machine: one topic stands for the three that are written alike.
TAKEN = [grant for grant in NEEDED if grant.name not in (f"{BASE}.coverage", f"{BASE}.ledger")]
TAKEN += [Grant("Read", "topic", f"{BASE}.ledger")]
users = (f"user-{number}" for number in count(2))


@pytest.fixture(scope="module")
def topics(secured: Secured) -> None:
    """The four, made by somebody else."""
    secured.acls.topics(BASE)


@pytest.mark.parametrize("grant", TAKEN, ids=str)
async def test_without_any_one_grant_run_ends_and_names_it(
    secured: Secured, simulator: Simulator, topics: None, grant: Grant
) -> None:
    user = next(users)
    await asyncio.to_thread(secured.acls.grant, user, [one for one in NEEDED if one != grant])
    ended = await _run(secured, simulator, user, {"KAFKA_TOPIC": BASE, "KAFKA_GROUP_ID": GROUP})
    assert ended.code == 1
    assert "grant " in ended.words
    assert grant.operation in ended.words
    assert grant.name in ended.words
    others = {one.name for one in NEEDED if one.resource == "topic"} - {grant.name}
    assert not [name for name in others if f"{name}," in f"{ended.words},"], ended.words


async def test_without_create_run_ends_and_names_both_ways_out(
    secured: Secured, simulator: Simulator, topic: str
) -> None:
    user = next(users)
    await asyncio.to_thread(secured.acls.grant, user, least(topic, GROUP, create=False))
    ended = await _run(secured, simulator, user, {"KAFKA_TOPIC": topic, "KAFKA_GROUP_ID": GROUP})
    assert ended.code == 1
    assert f"grant Create on topic {topic}." in ended.words
    assert "KAFKA_CREATE_TOPICS=false" in ended.words


async def test_without_any_grant_run_ends_and_names_the_topic(
    secured: Secured, simulator: Simulator, topics: None
) -> None:
    ended = await _run(secured, simulator, next(users), {"KAFKA_TOPIC": BASE, "KAFKA_GROUP_ID": GROUP})
    assert ended.code == 1
    assert f"grant DescribeConfigs and Write on topic {BASE}, " in ended.words
    assert f"DescribeConfigs and Read and Write on topic {BASE}.ledger" in ended.words


async def _run(secured: Secured, simulator: Simulator, user: str, settings: dict[str, str]) -> Ended:
    async with running({**api(simulator), **plain(secured, user), **settings}) as instance:
        ended = await instance.end()
    assert PASSWORD not in ended.text
    assert len(ended.words.splitlines()) == 1, ended.words
    return ended
