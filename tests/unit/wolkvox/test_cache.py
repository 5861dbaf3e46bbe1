"""A cache between us and the API: what it answers is as old as it says, and a report that stands still is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from producer.core.poller import Poller
from producer.core.ports import Polled
from producer.core.source import Source
from producer.model import Gap, GapKind, SourceFold
from producer.wolkvox.client import WolkvoxApi
from producer.wolkvox.reader import RowReader
from tests.twins.manual_clock import WALL, ManualClock
from tests.unit.wolkvox.calls import ROW, TOKEN, calling, envelope, fetched
from tests.unit.wolkvox.raw_server import RawServer, answering, http
from tests.unit.wolkvox.snapshots import BOGOTA, body_of

WINDOW, MINUTE = 600.0, 60.0
R2 = ROW | {"conn_id": "190000001", "date": "20260118201400"}


@dataclass
class Room:
    """A budget without end."""

    limit: int = 1_000_000

    def waiting(self) -> int:
        return 0

    def make_room(self, rows: int) -> None:
        """There is always some."""


@dataclass
class Bench:
    """The real client and poller of one source, before a server that answers what it is told."""

    server: RawServer
    clock: ManualClock
    source: Source
    poller: Poller

    async def poll(self, body: bytes, *headers: str, after: float = 5 * MINUTE) -> Polled:
        self.clock.advance(after)
        self.server.scripts[:] = [http(body, *headers)]
        return await self.poller.poll_once()

    @property
    def gaps(self) -> list[Gap]:
        """Those that wait to be told."""
        return [gap for harvest in self.source.pending.harvests() for gap in harvest.gaps]

    @property
    def until_loss(self) -> float | None:
        return self.source.coverage.seconds_until_loss(self.clock.now())


@asynccontextmanager
async def a_bench() -> AsyncIterator[Bench]:
    clock = ManualClock()
    source = Source(server="0042", keep=7200, window=WINDOW)
    source.restore(SourceFold(), clock.now())
    async with answering(b"") as server:
        api = WolkvoxApi(server="0042", url=server.url, token=lambda: TOKEN, timeout=10, clock=clock)
        reader = RowReader(server="0042", zone=BOGOTA)
        try:
            yield Bench(server, clock, source, Poller(source=source, api=api, reader=reader, budget=Room()))
        finally:
            await api.aclose()


async def test_caches_are_asked_not_to_answer() -> None:
    async with answering(http(envelope())) as server:
        await fetched(server.url)
    assert b"\r\ncache-control: no-cache\r\n" in server.requests[0].lower()


@pytest.mark.parametrize(
    ("header", "age"),
    [
        ("Age: 1800", 1800),
        ("age:  5 ", 5),
        ("Age: 0", 0),
        ("Age: 7, 1800", 1800),
        ("Age: " + "9" * 400, 9_999_999_999),
        ("Age: -5", 0),
        ("Age: soon", 0),
        ("Age: 1.5", 0),
        ("Cache-Control: public, s-maxage=1800", 0),
        ("X-Cache: HIT", 0),
    ],
)
async def test_a_snapshot_is_as_old_as_its_age_says(header: str, age: float) -> None:
    async with answering(http(envelope(), header), http(envelope())) as server, calling(server.url) as api:
        aged, fresh = await api.fetch(), await api.fetch()
    assert aged.age == age
    assert fresh.requested.wall - aged.requested.wall == age + 2
    assert fresh.requested.boot - aged.requested.boot == age + 2
    assert (aged.rows, aged.drift) == ([ROW], {"cached": 1} if age else {})


async def test_the_same_bytes_of_growing_age_cover_nothing_and_the_gap_is_told() -> None:
    async with a_bench() as bench:
        await bench.poll(envelope(), after=0)
        for minutes in range(5, 25, 5):
            polled = await bench.poll(envelope(), f"Age: {minutes * 60}")
            assert (polled.rows, polled.duplicate, bench.gaps) == (1, 1, [])
            assert bench.until_loss == WINDOW - minutes * MINUTE
        await bench.poll(body_of(R2))
        [gap] = bench.gaps
        assert (gap.start, gap.end, gap.kind) == (WALL, WALL + 15 * MINUTE, GapKind.UNPOLLED)
        assert bench.until_loss == WINDOW


async def test_what_an_old_answer_brings_is_told_and_its_time_is_not_vouched_for() -> None:
    async with a_bench() as bench:
        polled = await bench.poll(envelope(), "Age: 1800")
        assert (polled.new, polled.fetch_seconds) == (1, 0)
        assert bench.until_loss is None


async def test_a_little_age_takes_a_little_of_the_cover() -> None:
    async with a_bench() as bench:
        await bench.poll(envelope(), "Age: 30", after=0)
        assert bench.until_loss == WINDOW - 30
        await bench.poll(envelope(), "Age: 400")
        assert bench.until_loss == WINDOW - 330, "an older answer than the last takes nothing back"


@pytest.mark.parametrize("headers", [(), ("Cache-Control: s-maxage=1800",)])
async def test_a_report_that_stands_still_for_longer_than_the_window_is_told(headers: tuple[str, ...]) -> None:
    async with a_bench() as bench:
        both = body_of(ROW, R2)
        drifts = [dict((await bench.poll(both, *headers)).drift) for _ in range(5)]
        assert drifts == [{}, {}, {}, {"stands_still": 1}, {"stands_still": 1}]
        for moving in (body_of(R2), both, body_of(ROW, R2, ROW | {"conn_id": "x"})):
            assert (await bench.poll(moving, *headers, after=20 * MINUTE)).drift == {}
        assert (await bench.poll(body_of(ROW, R2, ROW | {"conn_id": "x"}), after=20 * MINUTE)).drift != {}


async def test_a_quiet_hour_does_not_stand_still() -> None:
    async with a_bench() as bench:
        for _ in range(5):
            assert (await bench.poll(envelope(data=[], msg="0 records were found"), after=20 * MINUTE)).drift == {}


async def test_the_newest_row_is_the_one_with_the_latest_date() -> None:
    async with a_bench() as bench:
        rows = [R2, ROW, ROW | {"conn_id": "b", "date": "garbage"}, ROW | {"conn_id": "c", "date": ""}]
        polled = await bench.poll(body_of(*rows))
        assert polled.newest == 1_768_785_240.0  # 20:14:00 in Bogota
        assert (await bench.poll(body_of(*rows))).newest is None
        odd = ROW | {"conn_id": "d", "date": "2026-01-19T01:15:00Z", "agent": "x"}
        assert (await bench.poll(body_of(*rows, odd))).newest == 1_768_785_300.0
        assert (await bench.poll(body_of(ROW | {"conn_id": "e", "date": "x"}))).newest is None
