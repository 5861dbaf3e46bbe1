"""Several instances: who takes over, how soon, and what happens when they do not know of each other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime
from statistics import median

import pytest
from confluent_kafka import Producer

from tests.integration.service.conftest import Open
from tests.integration.service.instance import Instance, Line
from tests.integration.service.stage import SESSION_TIMEOUT, Stage
from tests.integration.service.together import together

pytestmark = pytest.mark.kafka


async def test_the_promises_to_whoever_runs_several_instances(stages: Open) -> None:
    """Rolling restart, static members, groups and topics that meet, a stranger's transaction."""
    await together(
        *(story(stages) for story in (rolls, keeps_its_shard, fence_each_other, never_meet, waits_for_a_stranger))
    )


async def test_a_standby_polls_within_two_seconds_of_a_sigterm_and_two_more_than_the_session_of_a_sigkill(
    stages: Open,
) -> None:
    """With the default session timeout after SIGTERM, in the median of three; alone, since it is held to seconds."""
    leaving, dying = await stages(), await stages()
    owner = await leaving.start("0", KAFKA_SESSION_TIMEOUT=None)
    await owner.until("committed")
    after_leave = []
    for number in range(3):
        heir = await leaving.start(f"{number + 1}", KAFKA_SESSION_TIMEOUT=None)
        await heir.until("shards_assigned")
        after_leave.append(await takes_over(leaving, heir, owner.stop()))
        owner = heir
    await finished(leaving, owner)
    owner = await dying.start("owner")
    await owner.until("committed")
    heir = await dying.start("heir")
    await heir.until("shards_assigned")
    after_kill = await takes_over(dying, heir, owner.kill())
    await finished(dying, heir)
    print(f"polled again {after_kill:.1f} s after SIGKILL, {median(after_leave):.1f} s after SIGTERM")  # noqa: T201
    assert after_kill < SESSION_TIMEOUT + 2
    assert median(after_leave) < 2


async def takes_over(stage: Stage, heir: Instance, end: Awaitable[object]) -> float:
    """Seconds from the owner's end to the first poll of the heir."""
    polls = stage.simulator.polls
    await stage.simulator.until(lambda: stage.simulator.polls > polls)
    began = stage.clock.now().wall
    await end
    return moment(await heir.until("poll_done")) - began


async def rolls(stages: Open) -> None:
    """Each in turn is asked to end and started anew; there is a poller all the time."""
    stage = await stages()
    running = [await stage.start(f"old {number}") for number in range(3)]
    await together(*(one.until("shards_assigned") for one in running))
    for number in range(3):
        await running[0].stop()
        running = [*running[1:], await stage.start(f"new {number}")]
        await running[-1].until("shards_assigned")
    await finished(stage, *running)


async def keeps_its_shard(stages: Open) -> None:
    """KAFKA_GROUP_INSTANCE_ID: killed and started again within the session timeout, it moves nothing."""
    stage = await stages()
    owner = await stage.start("owner", KAFKA_GROUP_INSTANCE_ID="z")
    await owner.until("committed")
    other = await stage.start("other", KAFKA_GROUP_INSTANCE_ID="a")
    await other.until("shards_assigned")
    await owner.until("poll_done", since=owner.mark())
    await owner.kill()
    again = await stage.start("owner again", KAFKA_GROUP_INSTANCE_ID="z")
    await again.until("committed", within=SESSION_TIMEOUT)
    await finished(stage, again, other)
    assert not other.told("shard_taken"), "the shard moved"


async def fence_each_other(stages: Open) -> None:
    """Nobody's hits are doubled by it; the log names the likely cause once it has gone on for a while."""
    stage = await stages()
    instances = [await stage.start(group, KAFKA_GROUP_ID=f"{group}-{stage.topic}") for group in ("one", "two")]
    said = [asyncio.create_task(one.until("fenced_repeatedly", within=100)) for one in instances]
    done, _ = await asyncio.wait(said, return_when=asyncio.FIRST_COMPLETED)
    assert "another KAFKA_GROUP_ID on the same KAFKA_TOPIC" in done.pop().result()["cause"]
    for task in said:
        task.cancel()
    await asyncio.gather(*said, return_exceptions=True)
    await instances[1].stop()
    await finished(stage, instances[0])


async def never_meet(stages: Open) -> None:
    """Each instance polls its own source for its own topic, as if it were alone."""
    opened = [await stages(), await stages()]
    instances = [await stage.start(KAFKA_GROUP_ID=f"shared-{opened[0].topic}") for stage in opened]
    await together(*(one.until("committed") for one in instances))
    for stage, instance in zip(opened, instances, strict=True):
        await finished(stage, instance)
        assert not instance.told("fenced")
        assert not instance.told("kafka_unavailable")


async def waits_for_a_stranger(stages: Open) -> None:
    """Somebody else's open transaction in the ledger: nothing is read past it and nothing polled; the log says why."""
    stage = await stages()
    first = await stage.start("first")
    await first.until("committed")
    await first.stop()
    stranger = Producer({"bootstrap.servers": stage.bootstrap, "transactional.id": f"stranger-to-{stage.topic}"})
    await asyncio.to_thread(begin_writing, stranger, f"{stage.topic}.ledger")
    polls = stage.simulator.polls
    second = await stage.start("second")
    told = await second.until("kafka_unavailable", shard=2)
    assert "a transaction hangs there, or somebody else writes" in told["error"]
    assert stage.simulator.polls == polls
    await asyncio.to_thread(stranger.abort_transaction, 20)
    await second.until("committed")
    await finished(stage, second)


def begin_writing(stranger: Producer, ledger: str) -> None:
    """Write into the shard of server 0042 and leave the transaction open."""
    stranger.init_transactions(20)
    stranger.begin_transaction()
    stranger.produce(ledger, partition=2, key=b"total/0042/1", value=b"{}")
    assert stranger.flush(20) == 0


def moment(line: Line) -> float:
    """When a line was told, in seconds since 1970."""
    return datetime.fromisoformat(line["timestamp"]).timestamp()


async def finished(stage: Stage, *instances: Instance) -> None:
    """Everything told, everybody gone, nothing twice."""
    await stage.caught_up(*instances)
    await together(*(one.stop() for one in instances))
    await stage.assert_exactly_once()
