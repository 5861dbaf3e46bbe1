"""Asked to end: exit 0 within 10 s whatever it was doing, and a word about the hits that die with it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from producer.demo.broker.ports import Ports
from tests.integration.service.conftest import Open
from tests.integration.service.frail import FrailKafka
from tests.integration.service.instance import Instance
from tests.integration.service.stage import Stage

pytestmark = pytest.mark.kafka

SIGNALS = (signal.SIGTERM, signal.SIGINT)
BOUND = 10.0

State = Callable[[Stage, str], Awaitable[Instance]]


async def healthy(stage: Stage, name: str) -> Instance:
    """Polling and committing."""
    instance = await stage.start(name)
    await instance.until("committed")
    return instance


async def api_hanging(stage: Stage, name: str) -> Instance:
    """In the middle of a call that is never answered."""
    stage.simulator.fault = "timeout"
    instance = await stage.start(name, POLL_TIMEOUT="60s")
    await instance.until("shard_taken")
    await stage.simulator.until(lambda: stage.simulator.sources["0042"].requests > 0)
    return instance


async def restoring(stage: Stage, name: str) -> Instance:
    """In the middle of the ledger."""
    before = await stage.start(f"before {name}")
    await before.until("committed")
    await before.stop()
    instance = await stage.start(name, at="HANG:ledger_half_read")
    await instance.until("hanging")
    return instance


async def kafka_not_there(stage: Stage, name: str) -> Instance:
    """Waiting for a broker since it began."""
    ports = Ports(["nobody"])
    instance = await stage.start(name, KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{ports.numbers['nobody']}")
    await instance.until("kafka_unavailable")
    ports.close()
    return instance


async def just_started(stage: Stage, name: str) -> Instance:
    """As early as it hears a signal."""
    instance = await stage.start(name)
    await instance.until("status_listening")
    return instance


async def test_it_ends_within_10_seconds_whatever_it_does(stages: Open) -> None:
    """Five states, both signals, all at once."""
    states: tuple[State, ...] = (healthy, api_hanging, restoring, kafka_not_there, just_started)
    jobs = [(state, number, await stages()) for state in states for number in SIGNALS]
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(ended(stage, state, number)) for state, number, stage in jobs]
    slow = {f"{job[0].__name__} {job[1].name}": task.result() for job, task in zip(jobs, asked, strict=True)}
    print({name: round(seconds, 1) for name, seconds in slow.items()})  # noqa: T201
    assert max(slow.values()) < BOUND


async def test_it_ends_within_10_seconds_while_kafka_is_away(stages: Open, frail: FrailKafka) -> None:
    """Killed or frozen in the middle, with hits that wait: they die with the process, and the log says how many."""
    for outage, back in ((frail.kill, frail.start), (frail.suspend, frail.resume)):
        opened = [await stages(bootstrap=frail.bootstrap) for _ in SIGNALS]
        instances = [await healthy(stage, outage.__name__) for stage in opened]
        async with during(outage, back):
            for instance in instances:
                await instance.until("poll_done", since=instance.mark(), where=lambda line: line["pending"] > 0)
            asked = zip(instances, SIGNALS, strict=True)
            seconds = await asyncio.gather(*(instance.stop(number) for instance, number in asked))
        print(outage.__name__, [round(one, 1) for one in seconds])  # noqa: T201
        assert max(seconds) < BOUND
        assert all(instance.told("service_stopped")[0]["pending"] > 0 for instance in instances)
        await asyncio.gather(*(inherited(stage) for stage in opened))


async def test_the_second_signal_ends_it_at_once(stages: Open, frail: FrailKafka) -> None:
    """A person who presses Ctrl-C twice does not want to wait for the broker."""
    stage = await stages(bootstrap=frail.bootstrap)
    instance = await healthy(stage, "impatient")
    async with during(frail.suspend, frail.resume):
        await instance.until("poll_done", since=instance.mark(), where=lambda line: line["pending"] > 0)
        instance.send(signal.SIGINT)
        await instance.until("service_stopping")
        instance.send(signal.SIGINT)
        assert await instance.ended(within=1.5) != 0


async def inherited(stage: Stage) -> None:
    """What died with a process is still in the report, and told by the next one."""
    heir = await stage.start("heir", KAFKA_GROUP_ID=f"heirs-of-{stage.topic}")
    await stage.caught_up(heir)
    await heir.stop()
    await stage.assert_exactly_once()


async def ended(stage: Stage, state: State, number: signal.Signals) -> float:
    """Bring a service into a state and ask it to end; the seconds that took."""
    instance = await state(stage, f"{state.__name__} {number.name}")
    seconds = await instance.stop(number)
    assert instance.told("service_stopping")[0]["signal"] == number.name
    assert instance.told("service_stopped")
    assert not any("Traceback" in line for line in instance.raw)
    return seconds


@asynccontextmanager
async def during(outage: Callable[[], None], back: Callable[[], None]) -> AsyncIterator[None]:
    """An outage that ends with the block."""
    await asyncio.to_thread(outage)
    try:
        yield
    finally:
        await asyncio.to_thread(back)
