"""A broker that dies, freezes or is not there: polling goes on, every wait ends, nothing is lost or doubled."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.service.conftest import Open
from tests.integration.service.frail import FrailKafka
from tests.integration.service.instance import Instance
from tests.integration.service.stage import Stage

pytestmark = pytest.mark.kafka


async def test_a_broker_that_is_killed_three_times_costs_nothing(stages: Open, frail: FrailKafka) -> None:
    """The service polls on, hits wait, and the first transaction after each restart tells them."""
    stage = await stages(bootstrap=frail.bootstrap)
    instance = await stage.start()
    await instance.until("committed")
    for _ in range(3):
        since = instance.mark()
        await asyncio.to_thread(frail.kill)
        await instance.until("poll_done", since=since, where=lambda line: line["pending"] > 0)
        since = instance.mark()
        await asyncio.to_thread(frail.start)
        await instance.until("committed", since=since, where=lambda line: line["events"] > 0)
    await finished(stage, instance)


async def test_a_broker_that_is_frozen_for_20_seconds_costs_nothing(stages: Open, frail: FrailKafka) -> None:
    """It keeps its connections and says nothing: longer than any session, as long as any request."""
    stage = await stages(bootstrap=frail.bootstrap)
    instance = await stage.start()
    await instance.until("committed")
    frail.suspend()
    polls = stage.simulator.polls
    await stage.simulator.until(lambda: stage.simulator.polls >= polls + 20)
    since = instance.mark()
    frail.resume()
    await instance.until("committed", since=since, where=lambda line: line["events"] > 0)
    await finished(stage, instance)


async def test_a_service_that_starts_before_its_kafka_waits_for_it(stages: Open, frail: FrailKafka) -> None:
    """Alive, not ready, and the probe says why; then it goes on by itself."""
    await asyncio.to_thread(frail.kill)
    stage = await stages(bootstrap=frail.bootstrap)
    instance = await stage.start()
    await instance.until("kafka_unavailable")
    assert (await stage.page(instance, "/healthz")).status_code == 200
    answer = await stage.page(instance, "/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ok": False, "reasons": ["kafka: unreachable"]})
    assert stage.simulator.polls == 0
    await asyncio.to_thread(frail.start)
    await instance.until("committed")
    await instance.until("poll_done", since=instance.mark())
    assert (await stage.page(instance, "/readyz")).json() == {"ok": True, "reasons": []}
    await finished(stage, instance)


async def test_hits_that_left_the_report_while_kafka_was_away_are_published_all_the_same(
    stages: Open, frail: FrailKafka
) -> None:
    """A report that reaches back 4 s, an outage of 8 polls: hits were in the report only while Kafka was away."""
    stage = await stages(bootstrap=frail.bootstrap, window=4.0, late=0.0)
    instance = await stage.start(WOLKVOX_WINDOW="3s")
    await instance.until("committed")
    missed_before = stage.simulator.never_shown  # before there was a service
    await asyncio.to_thread(frail.kill)
    polls = stage.simulator.polls
    await stage.simulator.until(lambda: stage.simulator.polls >= polls + 8)
    reported = {row.conn_id for row in stage.simulator.sources["0042"].rows(stage.clock.now().wall)}
    waiting = (await stage.page(instance, "/status.json")).json()["sources"][0]["pending"]
    assert waiting > len(reported)
    await asyncio.to_thread(frail.start)
    await finished(stage, instance)
    assert stage.simulator.never_shown == missed_before


async def finished(stage: Stage, *instances: Instance) -> None:
    """Everything told, everybody gone, nothing twice."""
    await stage.caught_up(*instances)
    await asyncio.gather(*(one.stop() for one in instances))
    await stage.assert_exactly_once()
