"""Asked to end: exit 0 within 10 s whatever it was doing (without Kafka: see test_outages)."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

import pytest

from producer.demo.broker.ports import Ports
from tests.integration.service.conftest import Open
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


async def ended(stage: Stage, state: State, number: signal.Signals) -> float:
    """Bring a service into a state and ask it to end; the seconds that took."""
    instance = await state(stage, f"{state.__name__} {number.name}")
    seconds = await instance.stop(number)
    assert instance.told("service_stopping")[0]["signal"] == number.name
    assert instance.told("service_stopped")
    assert not any("Traceback" in line for line in instance.raw)
    return seconds
