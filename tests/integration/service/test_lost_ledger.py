"""A ledger that is lost: deleted, made again empty or otherwise, at rest or under a running service.

Nobody may believe the new one: what the API still shows would be published a second time.
"""

from __future__ import annotations

import re

import pytest

from producer.core.ledger import shard_of
from tests.integration.service.admin import Admin
from tests.integration.service.audit import read
from tests.integration.service.conftest import Open
from tests.integration.service.instance import Instance
from tests.integration.service.stage import Stage
from tests.integration.service.together import together

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]


async def test_a_ledger_that_was_made_again_empty_is_refused_until_somebody_accepts_it(stage: Stage) -> None:
    stage.clock.stop()
    admin, before = Admin(stage.bootstrap), await published(stage)
    await before.stop()
    await made_again(stage, admin)
    refused = await stage.start("refused")
    assert await refused.ended() == 1
    words = rf"{re.escape(stage.topic)}\.ledger is empty while .* it was deleted.* an hour .*`wolkvox-hits ledger init`"
    assert re.search(words, refused.raw[-1]), refused.raw[-1]
    told = (await stage.audit()).ids
    assert not (await stage.audit()).duplicates
    accepted = Instance(name="init", environment=stage.environment(), program=["-m", "producer", "ledger", "init"])
    stage.instances.append(accepted)
    await accepted.start()
    assert await accepted.ended() == 0
    assert any("was empty: it is begun anew" in line for line in accepted.raw)
    after = await stage.start("after")
    await after.until("poll_done", new=0, pending=0)
    await after.stop()
    assert (await stage.audit()).duplicates.keys() == told, "accepted, and so all that is still shown comes again"


async def test_a_ledger_lost_under_a_running_service_ends_it_with_the_reason(stages: Open) -> None:
    """Made again empty and compact, or by the brokers' own defaults, or not at all: no event comes twice."""
    await together(
        lost(await stages(), again="compact"), lost(await stages(), again="delete"), lost(await stages(), again=None)
    )


async def lost(stage: Stage, *, again: str | None) -> None:
    """One way to lose it."""
    admin = Admin(stage.bootstrap)
    instance = await published(stage)
    standby = await stage.start("standby")
    await standby.until("shards_assigned")
    await admin.delete(f"{stage.topic}.ledger")
    if again is not None:
        await made_anew(stage, admin, cleanup_policy=again)
    assert await instance.ended(within=100) == 1
    assert await standby.ended(within=100) == 1
    for one in (instance, standby):
        assert re.search(r"(deleted|cleanup\.policy=delete)", one.raw[-1]), one.raw[-1]
        assert not any("Traceback" in line for line in one.raw)
    keys = [record.key for record in await read(stage.bootstrap, stage.topic)]
    assert len(keys) == len(set(keys))


async def test_a_source_that_is_new_beside_others_starts_by_itself(stage: Stage) -> None:
    await (await published(stage)).stop()
    beside = next(f"{number:04}" for number in range(43, 9999) if shard_of(f"{number:04}", 12) != shard_of("0042", 12))
    instance = await stage.start("new", WOLKVOX_SERVER=beside)
    await instance.until("committed", where=lambda line: line["events"] > 0)
    await instance.stop()


async def test_an_event_topic_made_again_with_fewer_partitions_costs_no_restart(stage: Stage) -> None:
    """What waits goes to the new topic, without an event lost; the old ones were deleted by whoever did that."""
    admin = Admin(stage.bootstrap)
    instance = await published(stage, partitions=None)
    stage.clock.stop()
    await stage.caught_up(instance)
    known = set(stage.simulator.shown)
    await admin.delete(stage.topic)
    await made_again_as(admin, stage.topic, partitions=1)
    stage.clock.advance(5.0)
    await instance.until("committed", since=instance.mark(), where=lambda line: line["events"] > 0, within=120)
    await instance.until("poll_done", since=instance.mark(), new=0, pending=0)
    await instance.stop()
    found = await stage.audit()
    assert found.ids == stage.simulator.shown - known
    assert not found.duplicates


async def published(stage: Stage, *, partitions: str | None = "3") -> Instance:
    """An instance that has told something; with None any number of partitions will do for it."""
    instance = await stage.start("before", KAFKA_PARTITIONS=partitions)
    await instance.until("committed", where=lambda line: line["events"] > 0)
    return instance


async def made_again(stage: Stage, admin: Admin) -> None:
    """Deleted, and there again as the service itself would make it."""
    await admin.delete(f"{stage.topic}.ledger")
    await made_anew(stage, admin, cleanup_policy="compact")


async def made_anew(stage: Stage, admin: Admin, **config: str) -> None:
    await made_again_as(admin, f"{stage.topic}.ledger", partitions=12, **config)


async def made_again_as(admin: Admin, topic: str, *, partitions: int, **config: str) -> None:
    """As soon as the cluster has forgotten the one before."""
    await admin.until_gone(topic)
    await admin.create(topic, partitions, **config)
