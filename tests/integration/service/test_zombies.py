"""An instance that everybody believed dead and that comes back in the middle of a transaction."""

from __future__ import annotations

import signal

import pytest

from tests.integration.service.conftest import Open
from tests.integration.service.frail import FrailKafka
from tests.integration.service.instance import Instance
from tests.integration.service.proxy import Proxy
from tests.integration.service.stage import SESSION_TIMEOUT, Stage
from tests.integration.service.together import together

pytestmark = pytest.mark.kafka

STEPS = ("fetched", "taken", "begun", "all_delivered", "committing")


async def test_a_zombie_cannot_publish_wherever_it_was_stopped(stages: Open, frail: FrailKafka, proxy: Proxy) -> None:
    """At each of five steps by SIGSTOP, and by a cut network, for longer than the session timeout."""
    opened = [await stages() for _ in STEPS]
    apart = await stages(bootstrap=frail.bootstrap)
    *hidden, _ = await together(
        *(revive(stage, step) for stage, step in zip(opened, STEPS, strict=True)),
        cut_off(apart, frail, proxy),
    )
    # Where its batches had reached the broker, there was something for read_committed to hide.
    assert dict(zip(STEPS, hidden, strict=True))["all_delivered"] > 0


async def revive(stage: Stage, step: str) -> int:
    """One zombie's story; how many records of it read_committed hides."""
    stage.clock.stop()
    zombie = await stage.start(f"stops at {step}", at=f"STOP:{step}")
    await zombie.until("poll_done", new=0, pending=0)
    standby = await stage.start("standby")
    await standby.until("shards_assigned")
    stage.clock.advance(3.0)  # brings hits, and with them the trap
    await standby.until("shard_taken")
    await standby.until("poll_done", new=0, pending=0)
    before = await stage.assert_exactly_once()
    everything = await stage.audit(isolation="read_uncommitted")
    since = zombie.mark()
    zombie.send(signal.SIGCONT)
    await zombie.until("shard_given_up", since=since)
    stage.clock.advance(3.0)
    await standby.until("poll_done", since=standby.mark(), where=lambda line: line["new"] > 0)
    await standby.until("poll_done", since=standby.mark(), new=0, pending=0)
    await together(zombie.stop(), standby.stop())
    after = await stage.assert_exactly_once()
    assert len(after.hits) > len(before.hits)
    assert not standby.told("fenced"), f"{step}: the zombie fenced the true owner"
    return len(everything.hits) - len(before.hits)


async def cut_off(stage: Stage, frail: FrailKafka, proxy: Proxy) -> int:
    """The owner goes on polling meanwhile; what it sent into the cut arrives late, and is refused."""
    owner = await stage.start("cut off", KAFKA_BOOTSTRAP_SERVERS=frail.proxied)
    await owner.until("committed")
    standby = await stage.start("standby")
    await standby.until("shards_assigned")
    since = owner.mark()
    proxy.cut()
    await standby.until("shard_taken", within=SESSION_TIMEOUT + 15)
    await owner.until("poll_done", since=since, where=lambda line: line["pending"] > 0)
    await standby.until("committed")
    since = owner.mark()
    proxy.mend()
    await owner.until("shard_given_up", since=since)
    await finished(stage, owner, standby)
    return 0


async def finished(stage: Stage, *instances: Instance) -> None:
    """Everything told, everybody gone, nothing twice."""
    await stage.caught_up(*instances)
    await together(*(one.stop() for one in instances))
    await stage.assert_exactly_once()
