"""A poll and a commit, step by step."""

from __future__ import annotations

import asyncio
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from producer.core.poller import Poller, commit_once
from producer.core.ports import Polled, Told
from producer.core.source import Source
from producer.errors import AccessDenied, Discard, Fenced, KafkaFailed, PendingFull, Retry
from producer.model import SourceFold, Topic
from producer.wolkvox.reader import RowReader
from tests.twins.manual_clock import ManualClock
from tests.twins.memory_kafka import MemoryKafka
from tests.twins.memory_store import Fault, MemoryShardStore
from tests.twins.scripted_api import ScriptedApi
from tests.twins.virtual_time import virtual_time
from tests.unit.core.samples import KEEP, SERVER, SHARD, WINDOW, a_row

BOGOTA = ZoneInfo("America/Bogota")


class Room:
    """A budget: `limit` rows for these sources together."""

    def __init__(self, limit: int, *sources: Source) -> None:
        self.limit = limit
        self._sources = sources

    def waiting(self) -> int:
        return sum(len(source.pending) for source in self._sources)

    def make_room(self, rows: int) -> None:
        """None of these sources is elsewhere."""


class Bench:
    """A poller with all it needs, and a store for its shard."""

    def __init__(self, *, limit: int = 1000, marked_only: bool = False) -> None:
        self.clock = ManualClock()
        self.api = ScriptedApi(clock=self.clock)
        self.source = Source(server=SERVER, keep=KEEP, window=WINDOW)
        self.source.restore(SourceFold(), self.clock.now())
        self.budget = Room(limit, self.source)
        reader = RowReader(server=SERVER, zone=BOGOTA, marked_only=marked_only)
        self.poller = Poller(source=self.source, api=self.api, reader=reader, budget=self.budget)
        self.kafka = MemoryKafka()
        self.store = MemoryShardStore(self.kafka, number=SHARD)
        self.told = Told()

    async def poll(self, *rows: Any) -> Polled:
        self.api.answers(rows)
        return await self.poller.poll_once()

    async def commit(self) -> None:
        self.told = Told()
        await commit_once([self.source], self.store, self.clock, {SERVER: self.told})

    def published(self) -> list[bytes | None]:
        return [record.key for record in self.kafka.committed(Topic.HITS)]


def adds_up(polled: Polled) -> bool:
    told = polled.new + polled.changed + polled.duplicate + polled.dead
    return polled.rows == told + polled.unmarked + polled.summaries


ODD = [
    a_row("a"),
    a_row("a"),
    a_row("b"),
    "no object",
    "no object",
    {"conn_id": "", "hit": "x"},
    {"conn_id": "TOTAL", "hit": "7"},
    {"conn_id": "c", "hit": {"an": "object"}},
]


@virtual_time
async def test_a_polls_counters_add_up_to_its_rows() -> None:
    bench = Bench()
    polled = await bench.poll(*ODD)
    assert adds_up(polled)
    assert (polled.rows, polled.new, polled.duplicate, polled.dead, polled.summaries) == (8, 2, 2, 3, 1)
    assert (polled.pending, polled.drift) == (5, {"total_line": 1})


@virtual_time
async def test_the_same_rows_again_are_all_duplicates_before_and_after_the_commit() -> None:
    bench = Bench()
    await bench.store.take()
    await bench.poll(*ODD)
    for _ in range(2):
        polled = await bench.poll(*ODD)
        assert adds_up(polled)
        assert (polled.new, polled.duplicate, polled.dead) == (0, 7, 0)
        await bench.commit()
    assert bench.published() == [b"a", b"b"]
    assert len(bench.kafka.committed(Topic.DEAD_LETTER)) == 3


@virtual_time
async def test_an_unmarked_row_is_counted_at_each_poll_and_told_when_it_becomes_a_hit() -> None:
    """WOLKVOX_HITS=marked: neither told nor remembered, however long it is shown."""
    bench = Bench(marked_only=True)
    await bench.store.take()
    for _ in range(3):
        polled = await bench.poll(a_row("a"), a_row("b") | {"hit": ""}, *ODD[3:])
        assert adds_up(polled)
        assert (polled.unmarked, polled.doubtful) == (1, 0)
        await bench.commit()
    assert bench.published() == [b"a"]
    polled = await bench.poll(a_row("a"), a_row("b") | {"hit": "SALE"})
    assert (polled.new, polled.unmarked, polled.duplicate) == (1, 0, 1)
    await bench.commit()
    assert bench.published() == [b"a", b"b"]


@virtual_time
async def test_a_hit_that_was_told_and_reads_otherwise_is_a_change_and_no_duplicate() -> None:
    bench = Bench()
    await bench.store.take()
    await bench.poll(a_row("a") | {"hit": ""}, a_row("b"))
    await bench.commit()
    polled = await bench.poll(a_row("a") | {"hit": "SALE"}, a_row("b"), a_row("b"), "no object")
    assert adds_up(polled)
    assert (polled.new, polled.changed, polled.duplicate, polled.dead) == (0, 1, 2, 1)
    await bench.commit()
    assert (bench.published(), bench.told.changed) == ([b"a", b"b"], 1)
    assert [record.key for record in bench.kafka.committed(Topic.CHANGES)] == [b"a"]


@virtual_time
async def test_a_hit_that_was_told_and_says_now_that_it_is_none_was_taken_back() -> None:
    """WOLKVOX_HITS=marked."""
    bench = Bench(marked_only=True)
    await bench.store.take()
    for says, changed in (("SALE", 0), ("", 1), ("", 0), ("SALE", 1)):
        polled = await bench.poll(a_row("a") | {"hit": says})
        assert adds_up(polled)
        assert (polled.changed, polled.unmarked) == (changed, 0)
    await bench.commit()
    values = [orjson.loads(record.value or b"") for record in bench.kafka.committed(Topic.CHANGES)]
    assert [value["hit"] for value in values] == ["", "SALE"]


@virtual_time
async def test_a_changed_row_that_is_no_hit_any_more_is_a_dead_letter_once_and_its_id_stays_told() -> None:
    bench = Bench()
    await bench.store.take()
    await bench.poll(a_row("a"))
    await bench.commit()
    for dead in (1, 0):
        polled = await bench.poll(a_row("a") | {"hit": {}})
        assert (polled.new, polled.changed, polled.dead) == (0, 0, dead)
        await bench.commit()
    assert (await bench.poll(a_row("a"))).duplicate == 1


@virtual_time
async def test_changes_count_against_the_pending_limit() -> None:
    bench = Bench(limit=2)
    await bench.poll(a_row("a"), a_row("b"))
    with pytest.raises(PendingFull):
        await bench.poll(a_row("a") | {"hit": "SALE"}, a_row("b"))
    assert len(bench.source.pending) == 2


@virtual_time
async def test_an_unmarked_row_is_told_as_a_hit_by_default_and_pointed_at() -> None:
    polled = await Bench().poll(a_row("a"), a_row("b") | {"hit": ""})
    assert adds_up(polled)
    assert (polled.new, polled.unmarked, polled.doubtful) == (2, 0, 1)


@virtual_time
async def test_a_report_of_unmarked_rows_alone_still_stands_still() -> None:
    bench = Bench(marked_only=True)
    for expected in (False, False, True):
        assert ("stands_still" in (await bench.poll(a_row("b") | {"hit": ""})).drift) is expected
        bench.clock.advance(WINDOW * 0.75)


@virtual_time
async def test_one_bad_row_costs_its_neighbours_nothing() -> None:
    bench = Bench()
    await bench.store.take()
    await bench.poll(a_row("a"), {"conn_id": "c", "hit": ["an array"]}, a_row("b"))
    await bench.commit()
    assert bench.published() == [b"a", b"b"]


@virtual_time
async def test_a_failed_poll_changes_nothing() -> None:
    bench = Bench()
    await bench.poll(a_row("a"))
    before = (len(bench.source.pending), bench.source.coverage.seconds_until_loss(bench.clock.now()))
    bench.api.answers(Retry("503"))
    with pytest.raises(Retry):
        await bench.poller.poll_once()
    assert before == (len(bench.source.pending), bench.source.coverage.seconds_until_loss(bench.clock.now()))


@virtual_time
async def test_at_the_pending_limit_a_snapshot_is_not_taken_at_all() -> None:
    bench = Bench(limit=2)
    await bench.poll(a_row("a"), a_row("b"))
    bench.clock.advance(300)
    with pytest.raises(PendingFull):
        await bench.poll(a_row("b"), a_row("c"))
    assert set(bench.source.pending.hits) == {"a", "b"}
    assert bench.source.coverage.seconds_until_loss(bench.clock.now()) == WINDOW - 300


@virtual_time
async def test_at_the_pending_limit_a_snapshot_without_new_rows_still_covers_its_time() -> None:
    bench = Bench(limit=2)
    await bench.poll(a_row("a"), a_row("b"))
    bench.clock.advance(300)
    await bench.poll(a_row("a"), a_row("b"))
    assert bench.source.coverage.seconds_until_loss(bench.clock.now()) == WINDOW


@virtual_time
async def test_memory_changes_only_after_the_commit() -> None:
    bench = Bench()
    await bench.store.take()
    bench.store.latency = 10
    await bench.poll(a_row("a"))
    committing = asyncio.create_task(bench.commit())
    await asyncio.sleep(5)
    assert (len(bench.source.pending), "a" in bench.source.hits) == (1, False)
    await committing
    assert (len(bench.source.pending), "a" in bench.source.hits) == (0, True)


@virtual_time
async def test_a_poll_beside_a_commit_tells_nothing_twice() -> None:
    bench = Bench()
    await bench.store.take()
    bench.store.latency = 10
    await bench.poll(a_row("a"))
    committing = asyncio.create_task(bench.commit())
    await asyncio.sleep(5)
    polled = await bench.poll(a_row("a"), a_row("b"))
    await committing
    await bench.commit()
    assert (polled.new, bench.published()) == (1, [b"a", b"b"])


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.UNKNOWN_LANDED])
@virtual_time
async def test_a_commit_of_unknown_outcome_publishes_each_hit_once(fault: Fault) -> None:
    bench = Bench()
    await bench.store.take()
    bench.store.faults.append(fault)
    await bench.poll(a_row("a"))
    with pytest.raises(Discard):
        await bench.commit()
    assert (len(bench.source.pending), "a" in bench.source.hits) == (1, False)
    folds = await bench.store.take()
    bench.source.restore(folds.get(SERVER, SourceFold()), bench.clock.now())
    await bench.commit()
    assert bench.published() == [b"a"]
    assert bench.told.dropped.confirmed + bench.told.published == 1
    assert bench.told.dropped.duplicate == 0


@virtual_time
async def test_a_cancelled_commit_is_one_of_unknown_outcome() -> None:
    bench = Bench()
    await bench.store.take()
    bench.store.faults.append(Fault.HANGS_LANDED)
    await bench.poll(a_row("a"))
    committing = asyncio.create_task(bench.commit())
    await asyncio.sleep(1)
    committing.cancel()
    await asyncio.wait({committing})
    bench.source.restore((await bench.store.take())[SERVER], bench.clock.now())
    await bench.commit()
    assert (bench.published(), bench.told.dropped.confirmed) == ([b"a"], 1)


@virtual_time
async def test_a_zombies_commit_changes_nothing() -> None:
    bench = Bench()
    await bench.store.take()
    await MemoryShardStore(bench.kafka, number=SHARD).take()
    await bench.poll(a_row("a"))
    with pytest.raises(Fenced):
        await bench.commit()
    assert (bench.published(), len(bench.source.pending)) == ([], 1)


@virtual_time
async def test_dead_rows_count_against_the_pending_limit() -> None:
    bench = Bench(limit=2)
    await bench.poll(a_row("a"))
    with pytest.raises(PendingFull):
        await bench.poll("no object", 5, None)
    assert len(bench.source.pending) == 1


@virtual_time
async def test_a_limit_below_one_report_does_not_silence_its_source() -> None:
    bench = Bench(limit=2)
    await bench.poll(*(a_row(name) for name in "abc"))
    assert len(bench.source.pending) == 3


class Refusing(MemoryShardStore):
    """Whose commits land, and end with an error that is no Discard."""

    async def commit(self, records: Any) -> None:
        await super().commit(records)
        raise AccessDenied("the credentials were rotated away between the commit and its answer")


@virtual_time
async def test_any_failure_of_kafka_leaves_the_outcome_unknown() -> None:
    bench = Bench()
    bench.store = Refusing(bench.kafka, number=SHARD)
    await bench.store.take()
    await bench.poll(a_row("a"))
    with pytest.raises(KafkaFailed):
        await bench.commit()
    bench.store = MemoryShardStore(bench.kafka, number=SHARD)
    bench.source.restore((await bench.store.take())[SERVER], bench.clock.now())
    await bench.commit()
    assert (bench.told.dropped.confirmed, bench.told.dropped.duplicate) == (1, 0)
