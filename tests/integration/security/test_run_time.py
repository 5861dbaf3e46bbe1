"""What is taken away or replaced while the service runs: it goes on, says what is missing, and recovers by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from producer.demo.simulator import Simulator
from tests.integration.security.conftest import Secured
from tests.integration.security.environments import api, plain, scram
from tests.integration.security.grants import Grant, least
from tests.integration.security.instance import Instance, running
from tests.integration.security.secured import PASSWORD
from tests.integration.service.audit import audit

pytestmark = pytest.mark.kafka
NEXT = "next-and-longer-5521"


async def test_a_grant_taken_back_is_named_and_its_return_is_noticed(
    secured: Secured, simulator: Simulator, topic: str
) -> None:
    user, write = "user-20", Grant("Write", "topic", topic)
    await asyncio.to_thread(secured.acls.grant, user, least(topic, user, create=True))
    async with running({**api(simulator), **plain(secured, user), **_names(topic, user)}) as instance:
        ready = await _ready(instance)
        await asyncio.to_thread(secured.acls.revoke, user, write)
        failed = await instance.says("commit_failed")
        assert f"grant DescribeConfigs and Write on topic {topic}" in instance.lines[failed]["error"]
        assert (await _get(ready)).status_code == httpx.codes.SERVICE_UNAVAILABLE
        await asyncio.to_thread(secured.acls.grant, user, [write])
        await instance.says("committed", after=failed)
        await _tells_all(secured, simulator, instance, topic)


async def test_a_password_that_is_replaced_is_taken_up_without_a_restart(
    secured: Secured, simulator: Simulator, topic: str, tmp_path: Path
) -> None:
    user = "rotating"
    file = await _starts_with_a_file(secured, tmp_path, topic, user)
    environment = _with_file(secured, user, file)
    async with running({**api(simulator), **environment, **_names(topic, user)}) as instance:
        first = await instance.says("committed")
        await asyncio.to_thread(secured.acls.password, user, NEXT)
        file.write_text(NEXT)
        joined = await instance.says("shards_assigned", after=first)
        taken = await instance.says("shard_taken", after=first)
        await instance.says("committed", after=max(joined, taken))
        await _tells_all(secured, simulator, instance, topic)
    assert not [line for line in instance.lines if line["event"] == "kafka_refused"]
    assert NEXT not in str(instance.lines)


async def test_a_password_that_no_longer_holds_is_told_and_recovered_from(
    secured: Secured, simulator: Simulator, topic: str, tmp_path: Path
) -> None:
    user = "changed"
    file = await _starts_with_a_file(secured, tmp_path, topic, user)
    async with running({**api(simulator), **_with_file(secured, user, file), **_names(topic, user)}) as instance:
        ready = await _ready(instance)
        await asyncio.to_thread(secured.acls.password, user, NEXT)
        refused = await instance.says("kafka_refused")
        assert "see KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD" in instance.lines[refused]["error"]
        assert (await _get(ready)).status_code == httpx.codes.SERVICE_UNAVAILABLE
        file.write_text(NEXT)
        await instance.says("committed", after=refused)
        await _tells_all(secured, simulator, instance, topic)
    assert PASSWORD not in str(instance.lines)


async def _starts_with_a_file(secured: Secured, folder: Path, topic: str, user: str) -> Path:
    await asyncio.to_thread(secured.acls.grant, user, least(topic, user, create=True))
    file = folder / "password"
    file.write_text(PASSWORD)
    return file


def _with_file(secured: Secured, user: str, file: Path) -> dict[str, str]:
    environment = scram(secured, user) | {"KAFKA_BOOTSTRAP_SERVERS": secured.kafka.address("BRIEF")}
    del environment["KAFKA_SASL_PASSWORD"]
    return environment | {"KAFKA_SASL_PASSWORD_FILE": str(file)}


def _names(topic: str, group: str) -> dict[str, str]:
    return {"KAFKA_TOPIC": topic, "KAFKA_GROUP_ID": group, "KAFKA_SESSION_TIMEOUT": "6s"}


async def _ready(instance: Instance) -> str:
    """Where to ask whether it is ready, once it is."""
    await instance.says("committed")
    url = str(instance.lines[await instance.says("status_listening")]["url"]).rstrip("/") + "/readyz"
    assert (await _get(url)).status_code == httpx.codes.OK
    return url


async def _get(url: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(url)


async def _tells_all(secured: Secured, simulator: Simulator, instance: Instance, topic: str) -> None:
    """Every hit shown so far becomes one event: nothing was lost on the way, nothing told twice."""
    simulator.stop_calls()
    shown, done = set(simulator.shown), len(instance.lines)
    told = await audit(secured.inside, topic)
    while not shown <= told.ids:
        done = await instance.says("committed", after=done) + 1
        told = await audit(secured.inside, topic)
    assert not told.duplicates
