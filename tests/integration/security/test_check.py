"""`check` with the least permissions, and with each of them missing: what to grant is told by the message alone."""

from __future__ import annotations

import asyncio

import pytest

from producer.commands.check import look
from producer.commands.check_findings import Finding, Verdict
from producer.demo.simulator import Simulator
from producer.settings import load
from tests.integration.security.conftest import Secured
from tests.integration.security.environments import api, plain
from tests.integration.security.grants import Grant, least
from tests.integration.security.secured import USERS

pytestmark = pytest.mark.kafka


async def kafka_findings(
    secured: Secured, simulator: Simulator, topic: str, *, user: str, **environ: str
) -> dict[str, Finding]:
    """What is said of Kafka to a user, by subject."""
    names = {"KAFKA_TOPIC": topic, "KAFKA_GROUP_ID": topic}
    settings = load(config=None, environ=api(simulator) | plain(secured, user) | names | environ)
    return {one.subject: one for one in await look(settings) if one.area == "kafka"}


async def told(
    secured: Secured, simulator: Simulator, topic: str, *, user: str, failing: set[str]
) -> dict[str, Finding]:
    """What is said once just these subjects fail: the broker learns of permissions a moment after its controller."""
    async with asyncio.timeout(15):
        while failed(findings := await kafka_findings(secured, simulator, topic, user=user)) != failing:
            pass
    return findings


def failed(findings: dict[str, Finding]) -> set[str]:
    return {subject for subject, one in findings.items() if one.verdict is Verdict.FAILED}


@pytest.fixture
def user() -> str:
    """A user that no other module has; one is enough, as each test's topics have names of their own."""
    return f"user-{USERS}"


@pytest.fixture
def granted(secured: Secured, simulator: Simulator, topic: str, user: str) -> tuple[Secured, Simulator, str, str]:
    """Topics that were made for the user, and the least permissions on them."""
    secured.acls.topics(topic)
    secured.acls.grant(user, least(topic, topic, create=False))
    return secured, simulator, topic, user


@pytest.mark.parametrize("create", [True, False])
async def test_the_least_permissions_are_enough(
    secured: Secured, simulator: Simulator, topic: str, user: str, *, create: bool
) -> None:
    secured.acls.grant(user, least(topic, topic, create=create))
    if not create:
        secured.acls.topics(topic)
    await told(secured, simulator, topic, user=user, failing=set())


async def test_who_may_do_nothing_is_told_each_thing_to_grant(
    secured: Secured, simulator: Simulator, topic: str, user: str
) -> None:
    secured.acls.topics(topic)
    everything = {"hits", "changes", "dead-letter", "coverage", "ledger", "group", "transactions"}
    findings = await told(secured, simulator, topic, user=user, failing=everything)
    assert findings["ledger"].hint == (
        f"kafka-acls --add --allow-principal User:{user} "
        f"--operation DescribeConfigs --operation Read --operation Write --topic {topic}.ledger"
    )
    assert f"--operation Read --group {topic}" in findings["group"].hint
    assert f"--transactional-id {topic}.ledger- --resource-pattern-type prefixed" in findings["transactions"].hint


@pytest.mark.parametrize(
    ("operation", "suffix", "subject"),
    [
        ("Write", "", "hits"),
        ("Write", ".changes", "changes"),
        ("Write", ".dead-letter", "dead-letter"),
        ("Read", ".ledger", "ledger"),
        ("DescribeConfigs", ".coverage", "coverage"),
    ],
)
async def test_one_missing_permission_on_a_topic_is_the_one_that_is_named(
    granted: tuple[Secured, Simulator, str, str], operation: str, suffix: str, subject: str
) -> None:
    secured, simulator, topic, user = granted
    secured.acls.revoke(user, Grant(operation, "topic", topic + suffix))
    findings = await told(secured, simulator, topic, user=user, failing={subject})
    assert f"--operation {operation}" in findings[subject].hint


async def test_who_heals_gaps_must_read_the_hits_topic_as_well(granted: tuple[Secured, Simulator, str, str]) -> None:
    secured, simulator, topic, user = granted
    async with asyncio.timeout(15):
        while failed(found := await kafka_findings(secured, simulator, topic, user=user, RECOVER_GAPS="history")) != {
            "hits"
        }:
            pass
    assert f"--operation Read --topic {topic}" in found["hits"].hint


async def test_who_may_not_create_is_told_so_before_anything_is_started(
    secured: Secured, simulator: Simulator, topic: str, user: str
) -> None:
    secured.acls.grant(user, least(topic, topic, create=False))
    failing = {"hits", "changes", "dead-letter", "coverage", "ledger"}
    findings = await told(secured, simulator, topic, user=user, failing=failing)
    assert f"--operation Create --topic {topic}.ledger" in findings["ledger"].hint


async def test_a_wrong_password_is_told_as_that(secured: Secured, simulator: Simulator, topic: str, user: str) -> None:
    findings = await kafka_findings(secured, simulator, topic, user=user, KAFKA_SASL_PASSWORD="not-it-canary")
    assert failed(findings) == {"bootstrap"}
    assert "KAFKA_SASL_PASSWORD" in findings["bootstrap"].text
    assert "not-it-canary" not in findings["bootstrap"].text
