"""The twins' own promises, beyond the contract that they share with the real ones."""

from __future__ import annotations

import asyncio

import pytest

from producer.clock import elapsed
from producer.errors import Unavailable
from producer.model import Outgoing, Topic
from tests.twins.manual_clock import ManualClock
from tests.twins.memory_kafka import MemoryKafka
from tests.twins.memory_store import READ_BOUND, MemoryShardStore
from tests.twins.virtual_time import Deadlock, run_virtually, virtual_time
from tests.unit.core.samples import SHARD


@virtual_time
async def test_hours_of_virtual_time_cost_nothing_and_keep_their_order() -> None:
    order: list[str] = []

    async def later(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        order.append(name)

    await asyncio.gather(later("c", 7200.5), later("a", 0.1), later("b", 7200.25))
    assert (order, asyncio.get_running_loop().time()) == (["a", "b", "c"], 7200.5)


def test_tasks_that_all_wait_for_each_other_are_an_error_not_a_hang() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock):
        run_virtually(forever())


def test_a_task_left_behind_fails_the_test() -> None:
    async def leaving() -> None:
        tasks.append(asyncio.create_task(asyncio.sleep(1000)))

    tasks: list[asyncio.Task[None]] = []
    with pytest.raises(AssertionError, match="still running"):
        run_virtually(leaving())


@virtual_time
async def test_a_clock_of_the_loop_runs_with_it_and_is_set_apart_from_it() -> None:
    clock = ManualClock.of_loop()
    began = clock.now()
    await asyncio.sleep(10)
    clock.set_wall(-3600)
    now = clock.now()
    assert (now.boot - began.boot, now.wall - began.wall) == (10, -3590)
    clock.sleep_unseen(5)
    assert elapsed(began, clock.now()) == 15


@virtual_time
async def test_a_ledger_behind_a_transaction_that_hangs_is_not_taken_for_read() -> None:
    kafka = MemoryKafka()
    kafka.producer("somebody").send(Outgoing(Topic.LEDGER, b"told/0042/a", None, []), partition=SHARD)
    with pytest.raises(Unavailable, match="hangs"):
        await MemoryShardStore(kafka, number=SHARD).take()
    assert asyncio.get_running_loop().time() == pytest.approx(READ_BOUND, abs=0.2)


def test_what_an_open_or_aborted_transaction_wrote_is_not_read() -> None:
    kafka = MemoryKafka()
    where = (Topic.LEDGER, SHARD)
    record = Outgoing(Topic.LEDGER, b"told/0042/a", b"{}", [])
    producer = kafka.producer("one")
    producer.send(record, partition=SHARD)
    assert (kafka.committed(Topic.LEDGER), kafka.last_stable_offset(where), kafka.high_watermark(where)) == ([], 0, 1)
    producer.abort()
    assert (kafka.committed(Topic.LEDGER), kafka.last_stable_offset(where), kafka.high_watermark(where)) == ([], 2, 2)
    producer.send(record, partition=SHARD)
    producer.commit()
    assert [one.offset for one in kafka.committed(Topic.LEDGER)] == [2]
