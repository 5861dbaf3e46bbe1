"""Topics as the service makes them, and topics that it refuses: in plain words, with exit 1, before it polls."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest

from tests.integration.service.admin import Admin
from tests.integration.service.conftest import Open
from tests.integration.service.stage import Stage
from tests.integration.service.together import together

pytestmark = pytest.mark.kafka

Sabotage = Callable[[Stage, Admin], Coroutine[Any, Any, None]]


async def test_missing_topics_are_made_as_the_promise_needs_them(stage: Stage) -> None:
    """The ledger compacted in small segments with 12 shards; the others by KAFKA_PARTITIONS and KAFKA_RETENTION."""
    instance = await stage.start(KAFKA_PARTITIONS="5", KAFKA_RETENTION="36h", KAFKA_REPLICATION_FACTOR="1")
    await instance.until("topics_created")
    await instance.stop()
    admin = Admin(stage.bootstrap)
    for suffix in ("", ".changes", ".dead-letter", ".coverage"):
        config = await admin.config(stage.topic + suffix)
        assert await admin.partitions(stage.topic + suffix) == 5
        assert (config["cleanup.policy"], config["retention.ms"]) == ("delete", str(36 * 3600 * 1000))
        assert config["message.timestamp.type"] == "LogAppendTime"
    ledger = await admin.config(f"{stage.topic}.ledger")
    assert await admin.partitions(f"{stage.topic}.ledger") == 12
    assert ledger["cleanup.policy"] == "compact"
    assert int(ledger["segment.bytes"]) == 64 * 1024 * 1024
    assert (ledger["segment.ms"], ledger["min.cleanable.dirty.ratio"]) == ("3600000", "0.1")
    assert ledger["delete.retention.ms"] == str(24 * 3600 * 1000)


async def test_existing_topics_are_taken_as_they_are(stage: Stage) -> None:
    """Any number of partitions, a ledger of 4 shards: nothing is altered as long as nothing else was asked for."""
    admin = Admin(stage.bootstrap)
    for suffix in ("", ".changes", ".dead-letter", ".coverage"):
        await admin.create(stage.topic + suffix, 2)
    await admin.create(f"{stage.topic}.ledger", 4, cleanup_policy="compact")
    instance = await stage.start(KAFKA_PARTITIONS=None)
    await stage.caught_up(instance)
    await instance.stop()
    assert not instance.told("topics_created")
    await stage.assert_exactly_once()


async def the_ledger_deletes(stage: Stage, admin: Admin) -> None:
    await admin.create(f"{stage.topic}.ledger", 12, cleanup_policy="delete")


async def the_ledger_compacts_and_deletes(stage: Stage, admin: Admin) -> None:
    await admin.create(f"{stage.topic}.ledger", 12, cleanup_policy="compact,delete")


async def the_events_are_compacted(stage: Stage, admin: Admin) -> None:
    await admin.create(stage.topic, 3, cleanup_policy="compact")


async def other_partitions(stage: Stage, admin: Admin) -> None:
    await admin.create(f"{stage.topic}.coverage", 4)


async def the_ledger_was_deleted(stage: Stage, admin: Admin) -> None:
    await published(stage)
    await admin.delete(f"{stage.topic}.ledger")


async def the_ledger_was_repartitioned(stage: Stage, admin: Admin) -> None:
    await published(stage)
    await admin.repartition(f"{stage.topic}.ledger", 17)


async def a_newer_version_wrote(stage: Stage, admin: Admin) -> None:
    await admin.create(f"{stage.topic}.ledger", 12, cleanup_policy="compact")
    await admin.write(f"{stage.topic}.ledger", 2, key="told/0042/1", value=b'{"v":3,"observed_at":"?"}')


async def an_older_version_wrote(stage: Stage, admin: Admin) -> None:
    await admin.create(f"{stage.topic}.ledger", 12, cleanup_policy="compact")
    await admin.write(f"{stage.topic}.ledger", 2, key="hit/0042/1", value=b'{"v":1,"observed_at":"?"}')


async def something_else_wrote(stage: Stage, admin: Admin) -> None:
    await admin.create(f"{stage.topic}.ledger", 12, cleanup_policy="compact")
    await admin.write(f"{stage.topic}.ledger", 2, key="total/0042/1", value=b"{}")


REFUSALS: Mapping[Sabotage, str] = {
    the_ledger_deletes: r"\.ledger has cleanup\.policy=delete, it must be exactly compact",
    the_ledger_compacts_and_deletes: r"\.ledger has cleanup\.policy=.*,.*, it must be exactly compact",
    the_events_are_compacted: r"has cleanup\.policy=compact, it must be delete",
    other_partitions: r"\.coverage has 4 partitions, KAFKA_PARTITIONS says 3",
    the_ledger_was_deleted: r"\.ledger is missing .* it was deleted.* an hour of hits.*`wolkvox-hits ledger init`",
    the_ledger_was_repartitioned: r"server 0042 in partition 2.*repartitioned.*ledger reset",
    a_newer_version_wrote: r"format 3, this version knows 2: a newer version",
    an_older_version_wrote: r"format 1, this version knows 2: .*ledger reset SERVER",
    something_else_wrote: r"unknown kind, 'total'",
}


async def test_topics_that_cannot_carry_the_promise_are_refused(stages: Open) -> None:
    """Exit 1, one line that says what is wrong and the way out, and the API was never asked."""
    opened = [await stages() for _ in REFUSALS]
    await together(*(refused(stage, *how) for stage, how in zip(opened, REFUSALS.items(), strict=True)))


async def refused(stage: Stage, sabotage: Sabotage, words: str) -> None:
    """One kind of topic that can't be used."""
    await sabotage(stage, Admin(stage.bootstrap))
    asked = stage.simulator.polls
    instance = await stage.start(sabotage.__name__)
    assert await instance.ended() == 1, sabotage.__name__
    assert re.search(words, instance.raw[-1]), instance.raw[-1]
    assert not any("Traceback" in line for line in instance.raw)
    assert stage.simulator.polls == asked


async def test_topics_are_not_made_where_that_is_forbidden(stage: Stage) -> None:
    """KAFKA_CREATE_TOPICS=false names every missing one, and ends with 1."""
    await Admin(stage.bootstrap).create(stage.topic, 3)
    instance = await stage.start(KAFKA_CREATE_TOPICS="false")
    assert await instance.ended() == 1
    for suffix in (".changes", ".dead-letter", ".coverage", ".ledger"):
        assert stage.topic + suffix in instance.raw[-1]
    assert "KAFKA_CREATE_TOPICS" in instance.raw[-1]


async def published(stage: Stage) -> None:
    """Leave hits and a ledger behind."""
    instance = await stage.start("before", KAFKA_GROUP_INSTANCE_ID="one")
    await instance.until("committed")
    await instance.stop()
