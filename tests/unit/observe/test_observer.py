"""What the core tells, as lines and metrics."""

from __future__ import annotations

import pytest

from producer.core.ports import Told
from producer.model import Dropped, Progress
from producer.observe.logs import configure
from producer.observe.metrics import DROPPED, Metrics
from producer.observe.observer import ServiceObserver
from tests.unit.observe.conftest import HandClock, Written


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def observer(metrics: Metrics, clock: HandClock, written: Written) -> ServiceObserver:
    configure(format="json", stream=written, clock=clock, strict=True)
    return ServiceObserver(metrics=metrics, clock=clock)


@pytest.mark.parametrize("reason", sorted(DROPPED))
def test_rows_that_were_dropped_are_counted_and_told_with_the_reason(
    observer: ServiceObserver, metrics: Metrics, written: Written, reason: str
) -> None:
    observer.dropped({"0042": Told(dropped=Dropped(**{reason: 7}))})
    (line,) = written.lines
    assert (line["event"], line["server"], line["count"]) == ("rows_dropped", "0042", 7)
    assert line["cause"] == f"{reason}: {DROPPED[reason]}"
    assert metrics.registry.get_sample_value(
        "wolkvox_hits_pending_dropped_total", {"server": "0042", "reason": reason}
    ) == pytest.approx(7)


def test_a_transaction_that_dropped_nothing_says_nothing(observer: ServiceObserver, written: Written) -> None:
    observer.dropped({"0042": Told()})
    assert written.lines == []


def test_how_far_a_ledger_is_read_is_told_in_whole_percents(observer: ServiceObserver, written: Written) -> None:
    observer.restoring(2, Progress(450_000, 0.4544), seconds=1.04)
    (line,) = written.lines
    told = {name: line[name] for name in ("event", "shard", "ids", "percent", "seconds")}
    assert told == {"event": "restoring", "shard": 2, "ids": 450_000, "percent": 45, "seconds": 1.0}
