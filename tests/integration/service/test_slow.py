"""A broker that answers everything, but seconds late: a slow network, a disk that gives up, a machine that swaps."""

from __future__ import annotations

import pytest

from tests.integration.service.calm import calm
from tests.integration.service.conftest import Open
from tests.integration.service.frail import FrailKafka
from tests.integration.service.instance import Instance
from tests.integration.service.proxy import Proxy
from tests.integration.service.stage import Stage

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

HERITAGE = 150.0
"""Seconds that the report reaches back: an heir needs some twenty answers until it polls, each of them late."""


async def test_a_broker_whose_answers_are_late_costs_nothing(stages: Open, frail: FrailKafka, proxy: Proxy) -> None:
    """Polls keep their pace, commits go on with more in each, and also a takeover only takes its time."""
    stage = await stages(bootstrap=frail.bootstrap, window=HERITAGE)
    owner = await stage.start("owner", KAFKA_BOOTSTRAP_SERVERS=frail.proxied)
    await owner.until("committed")
    heir = await stage.start("heir", KAFKA_BOOTSTRAP_SERVERS=frail.proxied)
    await heir.until("shards_assigned")
    async with calm(owner):
        proxy.delay = 2.0
        await commits_slowly(stage, owner)
    proxy.delay = 1.0
    since = heir.mark()
    await owner.kill()
    async with calm(heir):
        await heir.until("committed", since=since, within=90)
    proxy.delay = 0.0
    await stage.caught_up(heir)
    await heir.stop()
    await stage.assert_exactly_once()


async def commits_slowly(stage: Stage, owner: Instance) -> None:
    """Two transactions that were made while answers were late; nobody gives anything up."""
    since, polls = owner.mark(), stage.simulator.polls
    for _ in range(2):
        slow = await owner.until("committed", since=owner.mark(), where=lambda line: line["milliseconds"] > 4000)
        assert slow["events"] > 0
    assert stage.simulator.polls >= polls + 8
    assert (await stage.page(owner, "/readyz")).status_code == 200
    assert not any(owner.told(trouble, since=since) for trouble in ("commit_failed", "fenced", "kafka_unavailable"))
