"""The historical reports of the simulated API: the truth of its hits, as the service's own client reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import nullcontext

import httpx
import pytest

from producer.demo.simulator import Simulator
from producer.demo.simulator.callcentre import BOGOTA
from producer.demo.simulator.faults import FAULTS
from producer.demo.simulator.historical import Flaw
from producer.errors import NotASnapshot, Retry
from producer.model import RECORD_CAP, Snapshot
from producer.wolkvox.client import WolkvoxApi
from producer.wolkvox.history import WolkvoxHistory
from producer.wolkvox.reader import RowReader
from tests.unit.demo.simulated_time import NOW, MovedClock

MANAGER = "/api/v2/reports_manager.php"


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
async def simulator(clock: MovedClock) -> AsyncIterator[Simulator]:
    async with Simulator(rate=2, window=100, late=0.2, typify_late=0.3, start=NOW - 3_600, clock=clock) as simulator:
        yield simulator


@pytest.fixture
async def history(simulator: Simulator, clock: MovedClock) -> AsyncIterator[WolkvoxHistory]:
    api = WolkvoxApi(server=simulator.server, url=simulator.url, token=lambda: simulator.token, timeout=30, clock=clock)
    yield WolkvoxHistory(
        server=simulator.server, api=api, zone=BOGOTA, hit="description_cod_act", turn=nullcontext, clock=clock
    )
    await api.aclose()


def read(snapshot: Snapshot) -> dict[str, dict[str, object]]:
    """What the service would tell of these rows, without when it saw them."""
    reader = RowReader(server="0042", zone=BOGOTA)
    hits = reader.read(reader.identify(snapshot, known=()).hits, snapshot).hits
    return {key: {**hit, "observed_at": ""} for key, hit in hits.items()}


async def live(simulator: Simulator, clock: MovedClock) -> dict[str, dict[str, object]]:
    """What it tells of the report of the last hour."""
    api = WolkvoxApi(server=simulator.server, url=simulator.url, token=lambda: simulator.token, timeout=30, clock=clock)
    try:
        return read(await api.fetch())
    finally:
        await api.aclose()


async def test_the_history_tells_each_hit_just_as_the_report_did(
    simulator: Simulator, history: WolkvoxHistory, clock: MovedClock
) -> None:
    clock.move(400)
    simulator.stop_calls()
    shown = dict[str, dict[str, object]]()
    for _ in range(20):  # the last thing that the report said of each
        shown |= await live(simulator, clock)
        clock.move(10)
    told = read(await history.fetch(NOW - 3_600, clock.wall))
    assert len(shown) > 150
    assert {key: told.get(key) for key in shown} == shown
    everything = simulator.sources["0042"].centre
    assert set(told) == {everything.hit(number).conn_id for number in range(8_000)}


async def test_a_stretch_of_it_has_what_occurred_then(simulator: Simulator, history: WolkvoxHistory) -> None:
    told = read(await history.fetch(NOW - 2_000, NOW - 1_000))
    centre = simulator.sources["0042"].centre
    hits = [centre.hit(number) for number in range(7_200)]
    inside = {hit.conn_id for hit in hits if NOW - 2_000 <= int(hit.occurred_at) <= NOW - 1_000}
    assert set(told) == inside
    assert any(hit.is_chat for hit in hits if hit.conn_id in inside)


async def test_a_call_without_a_code_is_no_hit(simulator: Simulator) -> None:
    async with httpx.AsyncClient(base_url=simulator.url, headers={"wolkvox-token": simulator.token}) as client:
        query = {"api": "cdr_1", "date_ini": "20260118191000", "date_end": "20260118191010"}
        rows = (await client.get(MANAGER, params=query)).json()["data"]
    codes = {row["cod_act"] for row in rows}
    assert "OCUPADO" in codes
    assert len(rows) == len({row["conn_id"] for row in rows}) > 30


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"date_ini": "20260118191000"}, 400),
        ({"date_ini": "2026-01-18 19:10:00", "date_end": "2026-01-18 19:20:00"}, 400),
        ({"date_ini": "20260118191000", "date_end": "20260118190000"}, 404),
        ({"date_ini": "20251201000000", "date_end": "20260118190000"}, 404),
        ({"date_ini": "20250101000000", "date_end": "20250102000000"}, 404),
    ],
)
async def test_dates_that_are_none_or_too_far_apart_or_of_nothing(
    simulator: Simulator, query: dict[str, str], status: int
) -> None:
    async with httpx.AsyncClient(base_url=simulator.url, headers={"wolkvox-token": simulator.token}) as client:
        answer = await client.get(MANAGER, params={"api": "cdr_1", **query})
    assert (answer.status_code, answer.json()["code"]) == (status, status)


async def test_no_answer_has_more_rows_than_the_api_gives_at_once(clock: MovedClock) -> None:
    async with (
        Simulator(rate=100, window=10, start=NOW - 3_600, clock=clock) as simulator,
        httpx.AsyncClient(base_url=simulator.url, headers={"wolkvox-token": simulator.token}, timeout=60) as client,
    ):
        query = {"api": "cdr_1", "date_ini": "20260118180000", "date_end": "20260118193000"}
        assert len((await client.get(MANAGER, params=query)).json()["data"]) == RECORD_CAP


async def test_each_call_counts_against_the_quota(history: WolkvoxHistory, simulator: Simulator) -> None:
    before = simulator.sources["0042"].requests
    await history.fetch(NOW - 100, NOW)
    info = simulator.sources["0042"].token_info(simulator.token, NOW)
    assert b'"all_token_today":"3"' in info.body
    assert simulator.sources["0042"].requests == before + 3


async def test_other_ids_are_other_in_the_history_alone(
    simulator: Simulator, history: WolkvoxHistory, clock: MovedClock
) -> None:
    right = await live(simulator, clock)
    simulator.fault = Flaw.OTHER_IDS
    told = read(await history.fetch(NOW - 100, NOW))
    assert await live(simulator, clock) == right
    assert len(told) > 100
    assert not set(told) & set(right)


async def test_codes_that_come_late_are_not_there_yet(
    simulator: Simulator, history: WolkvoxHistory, clock: MovedClock
) -> None:
    whole = read(await history.fetch(NOW - 300, NOW))
    simulator.fault = f"{Flaw.LATE}:200"
    late = read(await history.fetch(NOW - 300, NOW))
    assert 0 < len(late) < len(whole)
    clock.move(600)
    assert set(read(await history.fetch(NOW - 300, NOW))) >= set(whole)


async def test_a_server_without_these_reports_answers_404_to_each(
    simulator: Simulator, history: WolkvoxHistory, clock: MovedClock
) -> None:
    simulator.fault = Flaw.MISSING
    with pytest.raises(NotASnapshot, match="no activity codes"):
        await history.fetch(NOW - 300, NOW)
    assert await live(simulator, clock)


async def test_an_api_that_is_away_is_away_for_the_history_too(simulator: Simulator, history: WolkvoxHistory) -> None:
    simulator.fault = "http-503"
    with pytest.raises(Retry):
        await history.fetch(NOW - 300, NOW)


def test_each_flaw_is_a_fault() -> None:
    assert {name for name, fault in FAULTS.items() if fault.only_history} == set(Flaw)
