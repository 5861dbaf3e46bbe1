"""What a row costs, in calls and bytes counted: nothing here is timed, so nothing here depends on the machine."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import inf
from types import FrameType
from typing import Any, NoReturn

import pytest

from producer.clock import Moment
from producer.core.fold import Fold
from producer.model import SourceFold
from tests.benchmarks.answers import HOUR, body
from tests.benchmarks.flat import NEW, Swallowing, polls
from tests.benchmarks.stage import Polled
from tests.twins.manual_clock import ManualClock
from tests.twins.told import a_told, ids_in

ROWS = 2_000


def a_source() -> Polled:
    return Polled(server="0042", store=Swallowing(), clock=ManualClock())


async def calls_of(work: Callable[[], Awaitable[object]]) -> int:
    """Calls of Python functions, resumed generators among them; what C calls from C does not count."""
    count = 0

    def note(_frame: FrameType, event: str, _arg: Any) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        await work()
    finally:
        sys.setprofile(before)
    return count


@contextmanager
def traced() -> Iterator[None]:
    gc.collect()
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def in_use() -> int:
    """Bytes that are reachable."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


async def calls_of_a_known_snapshot(rows: int) -> int:
    source = a_source()
    source.answer = body(rows)
    await source.both()
    await source.both()  # its rows are told, and compared once
    return await calls_of(source.both)


async def test_a_row_seen_before_costs_no_call_of_its_own() -> None:
    few, many = await calls_of_a_known_snapshot(ROWS), await calls_of_a_known_snapshot(2 * ROWS)
    assert (many - few) / ROWS < 0.1, f"{few} calls for {ROWS} known rows, {many} for twice as many"


async def test_after_a_restart_each_row_is_read_once() -> None:
    source = a_source()
    source.answer = body(ROWS)
    await source.both()
    await source.both()
    told = source.source.hits.expired(Moment(inf, inf))
    source.source.restore(SourceFold(told), ManualClock().now())
    first, second = await calls_of(source.both), await calls_of(source.both)
    assert first > ROWS
    assert second < 0.5 * ROWS, "a poll has hundreds of its own"


async def test_one_row_that_changed_is_read_and_no_other() -> None:
    source = a_source()
    source.answer = body(ROWS)
    await source.both()
    await source.both()
    source.answer = source.answer.replace(b"VENTA EFECTIVA", b"PAGO TOTAL", 1)
    assert await calls_of(source.poll) < 0.5 * ROWS
    assert len(source.source.pending) == 1


async def calls_of_a_new_snapshot(rows: int) -> int:
    source = a_source()
    source.answer = body(rows)
    return await calls_of(source.both)


async def test_a_new_row_costs_no_call_of_its_own_batches_included() -> None:
    await calls_of_a_new_snapshot(HOUR)  # each second of the hour as a date costs some, once
    few, many = await calls_of_a_new_snapshot(HOUR), await calls_of_a_new_snapshot(2 * HOUR)
    assert (many - few) / HOUR < 1, f"{few} calls for {HOUR} new rows, {many} for twice as many"


async def test_the_records_of_a_transaction_never_exist_at_once() -> None:
    rows = 10 * ROWS
    source = a_source()
    for first in (0, rows):  # the first transaction reads the schemas
        source.answer = body(rows, first=first)
        await source.poll()
        with traced():
            await source.commit()
            _, peak = tracemalloc.get_traced_memory()
    # An event with its headers and its ledger record is some 800 bytes and twenty objects.
    assert peak < rows * 500, f"{peak} bytes for {rows} rows"


async def test_memory_is_flat_over_many_polls() -> None:
    await calls_of_a_new_snapshot(HOUR)  # each second of the hour as a date: what is remembered of dates is full
    clock = ManualClock()
    source = Polled(server="0042", store=Swallowing(), clock=clock)
    await polls(source, clock, range(40), rows=200)  # ids leave the window after 24 polls of five minutes
    with traced():
        await polls(source, clock, range(40, 80), rows=200)
        early = in_use()
        await polls(source, clock, range(80, 160), rows=200)
        late = in_use()
    # An id that stayed would take some 150 bytes; a set that has just grown, and timers not yet due, take 80 kB.
    assert late - early < 80 * NEW * 60, f"from {early} to {late} bytes"


@pytest.mark.parametrize("servers", [1, 2])
async def test_an_id_of_the_ledger_costs_no_call(servers: int) -> None:
    records = [
        a_told(*(f"id{number}" for number in range(first, first + 100)), server=f"{first // 100 % servers:04}")
        for first in range(0, ROWS, 100)
    ]
    pairs = [(record.key, record.value) for record in records]
    fold = Fold()

    async def apply() -> None:
        fold.apply(pairs)

    calls = await calls_of(apply)
    assert sum(len(ids_in(found.hits)) for found in fold.sources().values()) == ROWS
    assert calls < 12 * len(records)


class Unread(list[str]):
    """Ids that nobody may go through one by one."""

    def __iter__(self) -> NoReturn:
        raise AssertionError("the ids of an entry were gone through")


async def test_a_restore_does_not_go_through_ids_that_the_reading_has_looked_up() -> None:
    fold = Fold()
    fold.apply((record.key, record.value) for record in [a_told("a", "b", server="0042"), a_told("c", server="0042")])
    found = fold.sources()["0042"]
    unread = {entry: replace(entry, ids=Unread(entry.ids)) for entry in found.hits}
    by_id = {key: unread[entry] for key, entry in (found.by_id or {}).items()}
    source = a_source().source
    source.restore(replace(found, hits=list(unread.values()), by_id=by_id), ManualClock().now())
    assert len(source.hits) == len("abc")
