"""An hour and a day of bad weather, minute by minute, in virtual time: the real client, core, log, metrics and page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import orjson
import pytest

from producer.demo.simulator.faults import FAULTS
from producer.model import Topic
from tests.simulation.findings import findings, gaps_of, hits_of
from tests.simulation.hour import Stage
from tests.simulation.processes import in_world, run_world

pytestmark = pytest.mark.usefixtures("own_logging")

MINUTE, HOUR = 60.0, 3600.0
WEATHER, SHARING, TWIN, HANGING, ROTATED = "0042", "0043", "0044", "0045", "0046"
QUIET = [f"{1000 + number}" for number in range(195)]
TOO_HEAVY = {"zip-bomb"}
"""A quarter of a gigabyte, unpacked in tests/unit/wolkvox."""
MANY = {"cap"}
"""60,000 rows, once and in a test of its own."""
SLOW = ("unauthorized", "bad-token", "bad-token-es", "refused", "firewall", "http-400", "http-410", "quota:20")
"""What is not to be hurried: the next try may be a minute away."""
LAST = "quota-in-200"
"""Without Retry-After it is over for today, or until somebody starts another instance."""
QUICK = [
    name
    for name, fault in FAULTS.items()
    if name not in {*TOO_HEAVY, *MANY, *SLOW, "quota", LAST} and not fault.only_history
]


MakeStage = Callable[..., Stage]


async def _hour(stage: Stage) -> None:
    looking = in_world(stage.look(every=5 * MINUTE), name="looking")
    weather = in_world(_weather(stage), name="weather")
    stage.fault(HANGING, "timeout", seconds=2 * HOUR)
    first = stage.start()
    await stage.until(10 * MINUTE)
    await stage.crash(first)
    await stage.until(11 * MINUTE)
    second = stage.start()
    await stage.until(14 * MINUTE)
    standby = stage.start()
    await stage.until(20 * MINUTE)
    stage.rotate("rotated", api=[ROTATED], files=False)
    await stage.until(22 * MINUTE)
    stage.rotate("rotated", api=[ROTATED])
    await stage.until(25 * MINUTE)
    await stage.crash(second)
    await stage.until(28 * MINUTE)
    stage.down = True
    await stage.until(31 * MINUTE)
    stage.down = False
    await stage.until(34 * MINUTE)
    third = stage.start()
    await stage.until(36 * MINUTE)
    await stage.stop(standby)
    await stage.until(38 * MINUTE)
    await stage.crash(third)
    await stage.until(53 * MINUTE)  # longer than WOLKVOX_WINDOW: nobody polls
    last = stage.start()
    await stage.until(58 * MINUTE)
    stage.api.stop_calls()
    await stage.until(68 * MINUTE)
    await stage.stop(last)
    for task in (looking, weather):
        task.cancel()


async def _weather(stage: Stage) -> None:
    """Each fault in turn, long enough for a poll; in between the truth, for some claim that there are no hits."""
    for fault in QUICK:
        stage.fault(WEATHER, fault, seconds=21)
        await asyncio.sleep(24)
    for fault in SLOW:
        stage.fault(WEATHER, fault, seconds=70)
        await asyncio.sleep(75)
    stage.fault(WEATHER, LAST, seconds=300)


@pytest.fixture
def stage_of(tmp_path: Path) -> MakeStage:
    """Makes the stage, within its loop."""
    return partial(Stage, folder=tmp_path)


def test_an_hour_of_everything_ends_with_each_hit_told_once_or_in_a_gap(stage_of: MakeStage) -> None:
    async def script() -> None:
        servers = [WEATHER, SHARING, TWIN, HANGING, ROTATED, *QUIET]
        tokens, often = {SHARING: "shared", TWIN: "shared"}, dict.fromkeys(servers[:5], 20.0)
        stage = stage_of(servers=servers, interval=240.0, timeout=15.0, rate=0.01, tokens=tokens, intervals=often)
        await _hour(stage)
        assert findings(stage) == []
        _the_hour_was_one(stage)

    run_world(script())


def _the_hour_was_one(stage: Stage) -> None:
    """What the script meant to happen did happen."""
    told = hits_of(stage)
    outcomes = {
        server: [out for one in stage.ended for out in one.observer.outcomes.get(server, [])] for server in told
    }
    assert {"ok", "retry", "slow_down", "quota_spent", "bad_token", "refused", "not_a_snapshot"} <= set(
        outcomes[WEATHER]
    )
    assert set(outcomes[HANGING]) == {"retry"}
    assert "bad_token" in outcomes[ROTATED]
    assert outcomes[ROTATED][-1] == "ok"
    assert told[HANGING] == []
    assert len(gaps_of(stage, WEATHER)) >= 1
    for server in QUIET:
        assert set(outcomes[server]) == {"ok"}
        assert len(gaps_of(stage, server)) == 1  # the quarter of an hour without any instance
        assert len(outcomes[server]) > 10
    reasons = {orjson.loads(record.value or b"")["reason"] for record in stage.kafka.committed(Topic.DEAD_LETTER)}
    assert {
        "not_an_object",
        "conn_id_missing",
        "conn_id_invalid",
        "field_type",
        "not_encodable",
        "too_large",
    } <= reasons
    assert "coverage_gap" in stage.log.getvalue()


def test_a_day_with_the_quota_spent_ends_with_each_hit_told_once_or_in_a_gap(stage_of: MakeStage) -> None:
    async def script() -> None:
        stage = stage_of(servers=["0042", "0043"], interval=300.0, timeout=60.0, rate=0.01, quota=250)
        first = stage.start()
        await stage.until(3 * HOUR)
        stage.fault("0043", "maintenance", seconds=1.5 * HOUR)
        await stage.until(6 * HOUR)
        stage.down = True
        await stage.until(7 * HOUR)  # longer than any hit is in the report: memory keeps them
        stage.down = False
        await stage.until(9 * HOUR)
        await stage.crash(first)
        await stage.until(12 * HOUR)  # longer than DEDUP_WINDOW
        second = stage.start()
        await stage.until(32 * HOUR)  # the quota ends at about 250 calls of the operation's day, and begins anew
        stage.api.stop_calls()
        await stage.until(32.5 * HOUR)
        await stage.stop(second)
        assert findings(stage) == []
        outcomes = [out for one in stage.ended for out in one.observer.outcomes["0042"]]
        assert "quota_spent" in outcomes
        assert outcomes[-1] == "ok"
        assert outcomes.count("quota_spent") < 30

    run_world(script())
