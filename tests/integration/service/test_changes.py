"""Calls that are typified after they were first shown, and corrected: what the report said of them is what is told."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from producer.demo.show.audit import in_order
from tests.integration.service.audit import Audit
from tests.integration.service.conftest import Open
from tests.integration.service.stage import Stage
from tests.integration.service.together import together

pytestmark = pytest.mark.kafka

POLLS, KILLS = 12, 8


async def test_what_the_report_says_of_a_hit_is_told_each_time_once_and_in_order(stages: Open) -> None:
    """To a service that lives, to one that is killed again and again, and to one that waits until a row says so."""
    opened = [await stages(rate=5.0, typify_late=0.5) for _ in range(3)]
    await together(*(play(stage) for play, stage in zip((alive, killed, marked), opened, strict=True)))


async def alive(stage: Stage) -> None:
    """Each version that an answer showed is told; the page counts them."""
    instance = await stage.start()
    await stage.simulator.until(lambda: stage.simulator.polls >= POLLS)
    await stage.caught_up(instance)
    (source,) = (await stage.page(instance, "/status.json")).json()["sources"]
    await instance.stop()
    found = await stage.assert_exactly_once()
    assert {conn_id: found.words[conn_id] for conn_id in stage.simulator.said} == stage.simulator.said
    assert source["changed"] == len(found.changes) > POLLS
    assert max(map(len, found.words.values())) == 3
    assert_first_told(found)


async def killed(stage: Stage) -> None:
    """A version that only a dead process saw may be skipped; the last word is told, nothing twice or out of turn."""
    rng = Random(19)
    for number in range(KILLS):
        instance = await stage.start(f"life {number}", KAFKA_GROUP_INSTANCE_ID="one")
        await instance.until("shard_taken")
        await asyncio.sleep(rng.uniform(0.2, 1.5))  # the moment is what is varied, over two rounds of polls and commits
        await instance.kill()
    last = await stage.start("the last", KAFKA_GROUP_INSTANCE_ID="one")
    await stage.caught_up(last)
    await last.stop()
    found = await stage.assert_exactly_once()
    for conn_id, said in stage.simulator.said.items():
        assert in_order(found.words[conn_id], said), (found.words[conn_id], said)
    now = stage.clock.now().wall
    assert {row["conn_id"]: found.words[row["conn_id"]][-1] for row in rows(stage, now)} == {
        row["conn_id"]: row["hit"] for row in rows(stage, now)
    }
    assert len(found.changes) > KILLS
    assert_first_told(found)


async def marked(stage: Stage) -> None:
    """WOLKVOX_HITS=marked: a row is told when it is typified, and corrected later; its empty `hit` never."""
    instance = await stage.start(WOLKVOX_HITS="marked")
    await stage.simulator.until(lambda: stage.simulator.polls >= POLLS)
    await stage.caught_up(instance)
    await instance.stop()
    found, simulator = await stage.audit(), stage.simulator
    typified = {conn_id: [word for word in said if word] for conn_id, said in simulator.said.items()}
    waiting = {conn_id for conn_id, said in typified.items() if not said}
    assert found.ids == found.remembered == simulator.shown - waiting
    assert {conn_id: found.words[conn_id] for conn_id in typified.keys() - waiting} == {
        conn_id: said for conn_id, said in typified.items() if said
    }
    assert sum(line["unmarked"] for line in instance.told("poll_done")) > POLLS
    assert not instance.told("unmarked_hits")


def rows(stage: Stage, now: float) -> list[dict[str, str]]:
    return stage.simulator.sources[stage.simulator.server].centre.rows(now)


def assert_first_told(found: Audit) -> None:
    """Each change names its hit's own event, and is a CloudEvent of its own."""
    first = {record.key: record.json["observed_at"] for record in found.hits}
    assert all(record.json["first_observed_at"] == first[record.key] for record in found.changes)
    identities = [record.headers["ce_id"] for record in found.changes]
    assert len(set(identities)) == len(identities)
