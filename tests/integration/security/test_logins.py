"""Each way to log in, on a broker that allows the least: the service publishes, configured by its environment alone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from producer.demo.simulator import Simulator
from tests.integration.security.conftest import Secured
from tests.integration.security.environments import api, mutual_tls, oauth, plain, scram
from tests.integration.security.grants import least
from tests.integration.security.instance import running
from tests.integration.security.token_server import TokenServer
from tests.integration.service.audit import audit

pytestmark = pytest.mark.kafka
GROUP = "hits"


async def test_scram_over_tls_publishes_with_the_least_permissions(
    secured: Secured, simulator: Simulator, topic: str
) -> None:
    await _publishes(secured, simulator, topic, user="scram", environment=scram(secured, "scram"))


async def test_plain_over_tls_publishes_with_the_least_permissions(
    secured: Secured, simulator: Simulator, topic: str
) -> None:
    await _publishes(secured, simulator, topic, user="user-1", environment=plain(secured, "user-1"))


async def test_a_certificate_of_ours_publishes_with_the_least_permissions(
    secured: Secured, simulator: Simulator, topic: str
) -> None:
    environment = mutual_tls(secured, secured.authority.client("alice"))
    await _publishes(secured, simulator, topic, user="alice", environment=environment)


@pytest.mark.parametrize("listener", ["CLEAR", "LOGIN"])
async def test_a_token_for_client_credentials_publishes_with_the_least_permissions(
    secured: Secured, simulator: Simulator, topic: str, listener: str
) -> None:
    async with TokenServer() as tokens:
        user = f"robot-{listener.lower()}"
        environment = oauth(secured, tokens.url, listener=listener, client=user)
        await _publishes(secured, simulator, topic, user=user, environment=environment)
        assert tokens.served == 1, "one token serves all connections of an instance"


async def _publishes(
    secured: Secured, simulator: Simulator, topic: str, *, user: str, environment: Mapping[str, str]
) -> None:
    group = f"{GROUP}-{user}"
    await asyncio.to_thread(secured.acls.grant, user, least(topic, group, create=True))
    settings = {**api(simulator), **environment, "KAFKA_TOPIC": topic, "KAFKA_GROUP_ID": group}
    async with running(settings) as instance:
        first = await instance.says("committed")
        await instance.says("committed", after=first + 1)
        told = await audit(secured.inside, topic)
        assert told.ids
        assert not told.duplicates
        assert told.ids <= simulator.shown
