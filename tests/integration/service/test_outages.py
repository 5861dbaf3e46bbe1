"""A broker that dies, freezes or is not there: polling goes on, every wait ends, nothing is lost or doubled.

One outage serves several call centres side by side: each brings a service in another state into it.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.integration.service.calm import calm
from tests.integration.service.conftest import Open
from tests.integration.service.frail import FrailKafka
from tests.integration.service.instance import Instance
from tests.integration.service.stage import Stage
from tests.integration.service.together import together

pytestmark = pytest.mark.kafka

STOP_BOUND = 10.0
ROOM = 40
"""Rows that may wait for Kafka: four polls' worth."""
HERITAGE = 150.0
"""Seconds that a report reaches back where an heir must still find what died with a process before."""


async def test_a_broker_that_is_killed_costs_nothing(stages: Open, frail: FrailKafka) -> None:
    """Three times for one service; the first time others start, outlive a short report, or are asked to end."""
    lasting, early = [await stages(bootstrap=frail.bootstrap) for _ in range(2)]
    term, interrupt = [await stages(bootstrap=frail.bootstrap, window=HERITAGE) for _ in range(2)]
    # Its report reaches back 4 s, so that hits are in it only while Kafka is away.
    short = await stages(bootstrap=frail.bootstrap, window=4.0, late=0.0)
    cramped = await stages(bootstrap=frail.bootstrap, window=HERITAGE)
    running = [await stage.start() for stage in (lasting, term, interrupt)]
    forgetful = await short.start(WOLKVOX_WINDOW="3s")
    full = await cramped.start(PENDING_LIMIT=str(ROOM))
    await together(*(one.until("committed") for one in (*running, forgetful, full)))
    missed_before = short.simulator.never_shown
    async with outage(frail.kill, frail.start), calm(running[0]):
        first = await early.start()
        await together(
            says_so(lasting, running[0]),
            not_ready(early, first),
            ends(running[1], signal.SIGTERM),
            ends(running[2], signal.SIGINT),
            outlives_the_report(short, forgetful),
            takes_no_more(cramped, full),
        )
    await together(publishes(running[0], since=0), publishes(first, since=0))
    assert (await early.page(first, "/readyz")).json() == {"ok": True, "reasons": []}
    for _ in range(2):
        async with outage(frail.kill, frail.start):
            await polls_on(running[0])
        await publishes(running[0], since=running[0].mark())
    await together(
        finished(lasting, running[0]),
        finished(early, first),
        finished(short, forgetful),
        finished(cramped, full),
        inherited(term),
        inherited(interrupt),
    )
    assert short.simulator.never_shown == missed_before


async def test_a_broker_that_is_frozen_for_20_seconds_costs_nothing(stages: Open, frail: FrailKafka) -> None:
    """It keeps its connections and says nothing: longer than any session, as long as any request."""
    lasting = await stages(bootstrap=frail.bootstrap)
    term, impatient = [await stages(bootstrap=frail.bootstrap, window=HERITAGE) for _ in range(2)]
    running = [await stage.start() for stage in (lasting, term, impatient)]
    await together(*(one.until("committed") for one in running))
    polls = lasting.simulator.polls
    async with outage(frail.suspend, frail.resume), calm(running[0]):
        await together(
            ends(running[1], signal.SIGTERM),
            ends_at_the_second_signal(running[2]),
            lasting.simulator.until(lambda: lasting.simulator.polls >= polls + 20),
        )
        answer = await lasting.page(running[0], "/readyz")
        assert answer.status_code == 503
        assert answer.json()["reasons"][0].startswith("kafka: ")
    await publishes(running[0], since=running[0].mark())
    await together(finished(lasting, running[0]), inherited(term), inherited(impatient))


async def polls_on(instance: Instance) -> None:
    """Hits wait while Kafka is away."""
    await instance.until("poll_done", since=instance.mark(), where=lambda line: line["pending"] > 0)


async def says_so(stage: Stage, instance: Instance) -> None:
    """The page says that a source waits, and for what, long before the commit in hand is given up (45 s)."""
    for _ in range(15):  # polls, one a second
        await instance.until("poll_done", since=instance.mark())
        (source,) = (await stage.page(instance, "/live.json")).json()["sources"]
        if source["state"] == "waiting for kafka":
            assert source["error"]
            assert source["pending"] > 0
            return
    pytest.fail("no word of Kafka on the page")


async def publishes(instance: Instance, *, since: int) -> None:
    """The next transaction with hits."""
    await instance.until("committed", since=since, where=lambda line: line["events"] > 0)


async def not_ready(stage: Stage, instance: Instance) -> None:
    """Started before its Kafka: alive, not ready, and the probe says why."""
    await instance.until("kafka_unavailable")
    assert (await stage.page(instance, "/healthz")).status_code == 200
    answer = await stage.page(instance, "/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ok": False, "reasons": ["kafka: unreachable"]})
    assert stage.simulator.polls == 0


async def outlives_the_report(stage: Stage, instance: Instance) -> None:
    """More hits wait than the report still shows."""
    polls = stage.simulator.polls
    await stage.simulator.until(lambda: stage.simulator.polls >= polls + 8)
    reported = stage.simulator.sources["0042"].rows(stage.clock.now().wall)
    (source,) = (await stage.page(instance, "/status.json")).json()["sources"]
    assert source["pending"] > len(reported)


async def takes_no_more(stage: Stage, instance: Instance) -> None:
    """At PENDING_LIMIT no snapshot is taken, and the page says so; what the report still shows then is told later."""
    await instance.until("pending_limit_reached", since=instance.mark())
    (source,) = (await stage.page(instance, "/status.json")).json()["sources"]
    assert source["state"] == "pending limit reached"
    assert 0 < source["pending"] <= ROOM


async def ends(instance: Instance, number: signal.Signals) -> None:
    """Asked to end with hits that wait: within 10 s, and the log says how many die with it."""
    await polls_on(instance)
    seconds = await instance.stop(number)
    print(f"{number.name} without Kafka: {seconds:.1f} s")  # noqa: T201
    assert seconds < STOP_BOUND
    assert instance.told("service_stopped")[0]["pending"] > 0


async def ends_at_the_second_signal(instance: Instance) -> None:
    """A person who presses Ctrl-C twice does not want to wait for the broker."""
    await polls_on(instance)
    instance.send(signal.SIGINT)
    await instance.until("service_stopping")
    instance.send(signal.SIGINT)
    assert await instance.ended(within=1.5) != 0


async def inherited(stage: Stage) -> None:
    """What died with a process is still in the report, and told by the next one."""
    # In a group of its own: the dead member's place in the old one is kept until its session ends.
    heir = await stage.start("heir", KAFKA_GROUP_ID=f"heirs-of-{stage.topic}")
    await finished(stage, heir)


async def finished(stage: Stage, *instances: Instance) -> None:
    """Everything told, everybody gone, nothing twice."""
    await stage.caught_up(*instances)
    await together(*(one.stop() for one in instances))
    await stage.assert_exactly_once()


@asynccontextmanager
async def outage(begin: Callable[[], None], end: Callable[[], None]) -> AsyncIterator[None]:
    """An outage that ends with the block."""
    await asyncio.to_thread(begin)
    try:
        yield
    finally:
        await asyncio.to_thread(end)
