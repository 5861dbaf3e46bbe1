"""What the core tells, as lines and metrics."""

from __future__ import annotations

from collections import Counter

import pytest

from producer.core.ports import Failed, Polled, Told, Unhealed
from producer.errors import Retry
from producer.model import Dropped, Gap, GapKind, GapRecovered, Method, Progress
from producer.observe.logs import configure
from producer.observe.metrics import DROPPED, RESULTS, Metrics
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
    dropped = Dropped()
    setattr(dropped, reason, 7)
    observer.dropped({"0042": Told(dropped=dropped)})
    (line,) = written.lines
    assert (line["event"], line["server"], line["count"]) == ("rows_dropped", "0042", 7)
    assert line["cause"] == f"{reason}: {DROPPED[reason]}"
    assert metrics.registry.get_sample_value(
        "wolkvox_hits_pending_dropped_total", {"server": "0042", "reason": reason}
    ) == pytest.approx(7)


def test_a_transaction_that_dropped_nothing_says_nothing(observer: ServiceObserver, written: Written) -> None:
    observer.dropped({"0042": Told()})
    assert written.lines == []


GAP = Gap("0042", 1000.0, 1900.0, GapKind.UNPOLLED, certain=True)


@pytest.mark.parametrize("how", ["committed", "confirmed"])
def test_a_gap_is_counted_logged_and_shown_when_it_is_told(
    observer: ServiceObserver, metrics: Metrics, written: Written, how: str
) -> None:
    """Also by a transaction whose outcome was unknown, and which the ledger then had."""
    if how == "committed":
        observer.committed(2, {"0042": Told(gaps=[GAP])}, seconds=0.1)
    else:
        observer.dropped({"0042": Told(dropped=Dropped(gaps=[GAP]))})
    (line,) = [line for line in written.lines if line["event"] == "coverage_gap"]
    assert (line["server"], line["kind"], line["seconds"], line["certain"]) == ("0042", "unpolled", 900, True)
    assert metrics.registry.get_sample_value("wolkvox_hits_coverage_gaps_total", {"kind": "unpolled"}) == 1
    seconds = metrics.registry.get_sample_value("wolkvox_hits_coverage_gap_seconds_total", {"server": "0042"})
    assert seconds == pytest.approx(900)
    assert list(observer.numbers("0042").gaps) == [GAP]


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"wolkvox_hits_{name}", {"server": "0042", **labels})


def test_a_gap_that_was_healed_is_counted_and_logged_and_its_hits_are_results_of_no_poll(
    observer: ServiceObserver, metrics: Metrics, written: Written
) -> None:
    observer.not_healed(Unhealed(GAP, "the history is away", 60.0))
    recovery = GapRecovered("0042", GAP.start, GAP.end, Method.HISTORY, found=9, published=7, already_told=2)
    told = Told(published=3, recovered=Counter({Method.HISTORY: 7}), recoveries=[recovery])
    observer.committed(2, {"0042": told}, seconds=0.1)
    (line,) = [line for line in written.lines if line["event"] == "gap_recovered"]
    assert (line["server"], line["start"], line["method"]) == ("0042", "1970-01-01T00:16:40.000000Z", "history")
    assert (line["found"], line["published"], line["already_told"]) == (9, 7, 2)
    assert [line["events"] for line in written.lines if line["event"] == "committed"] == [10]
    assert value(metrics, "recovered_total", method="history") == 7
    assert value(metrics, "gaps_recovered_total") == 1
    assert value(metrics, "rows_total", result="published") == 3
    numbers = observer.numbers("0042")
    assert (numbers.published, numbers.recovered, numbers.unhealed) == (3, 7, None)


@pytest.mark.parametrize(
    ("unhealed", "event"),
    [
        (Unhealed(GAP, "500", 60.04), "gap_not_healed"),
        (Unhealed(GAP, "of 9 hits none is told", 3600.0, disagrees=True), "history_disagrees"),
        (Unhealed(GAP, "nobody knows", None), "gap_given_up"),
        (Unhealed(GAP, "of 9 hits none is told", None, disagrees=True), "gap_given_up"),
    ],
)
def test_a_gap_that_was_not_healed_says_why_and_when_it_is_tried_again(
    observer: ServiceObserver, metrics: Metrics, written: Written, unhealed: Unhealed, event: str
) -> None:
    observer.not_healed(unhealed)
    (line,) = written.lines
    assert (line["event"], line["problem"], line["server"]) == (event, unhealed.why, "0042")
    assert line.get("retry_in") == (None if unhealed.retry_in is None else round(unhealed.retry_in, 1))
    assert value(metrics, "history_disagreements_total") == (1 if unhealed.disagrees else None)
    assert observer.numbers("0042").unhealed == (None if unhealed.retry_in is None else unhealed.why)


def test_how_far_a_ledger_is_read_is_told_in_whole_percents(observer: ServiceObserver, written: Written) -> None:
    observer.restoring(2, Progress(450_000, 0.4544), seconds=1.04)
    (line,) = written.lines
    told = {name: line[name] for name in ("event", "shard", "ids", "percent", "seconds")}
    assert told == {"event": "restoring", "shard": 2, "ids": 450_000, "percent": 45, "seconds": 1.0}


def polled(newest: float | None, *, server: str = "0042", unmarked: int = 0, doubtful: int = 0) -> Polled:
    return Polled(
        server=server, poll="p", rows=0, new=0, changed=0, duplicate=0, dead=0, summaries=0,
        unmarked=unmarked, doubtful=doubtful, dates_unparsed=0,
        newest=newest, pending=0, seconds=0, fetch_seconds=0, truncated=False, not_found=False, drift={},
    )  # fmt: skip


def test_a_source_that_comes_back_begins_to_count_its_failures_anew(
    observer: ServiceObserver, written: Written
) -> None:
    """Those before another instance had it are none of this one's."""
    for _ in range(3):
        observer.failed(Failed("0042", "p", Retry("no answer"), 0.1, 5.0))
    observer.given_up(2, ["0042"], pending=0)
    observer.failed(Failed("0042", "p", Retry("no answer"), 0.1, 5.0))
    observer.polled(polled(None))
    attempts = [(line["event"], line["attempt"]) for line in written.lines if "attempt" in line]
    assert attempts[-2:] == [("poll_failed", 1), ("poll_recovered", 1)]


def test_hits_that_say_they_are_none_are_pointed_at_once_for_each_source(
    observer: ServiceObserver, written: Written
) -> None:
    for server in ("0042", "0043", "0042"):
        observer.polled(polled(None, server=server, doubtful=3))
    told = [line for line in written.lines if line["event"] == "unmarked_hits"]
    assert [(line["server"], line["count"]) for line in told] == [("0042", 3), ("0043", 3)]
    assert "WOLKVOX_HITS" in told[0]["problem"]


def test_each_result_is_counted_once_on_the_page_and_in_the_metrics(
    observer: ServiceObserver, metrics: Metrics
) -> None:
    told = Told(published=2, changed=3, dead_lettered=5)
    told.dropped = Dropped(confirmed=7, confirmed_changed=1, confirmed_dead=2, duplicate=4)
    metrics.follow("0042")
    observer.dropped({"0042": told})
    observer.committed(2, {"0042": told}, seconds=0.1)
    numbers = observer.numbers("0042")
    expected = {"published": 6, "changed": 4, "duplicate": 4, "dead_lettered": 7, "unmarked": 0}
    assert {result: getattr(numbers, result) for result in RESULTS} == expected
    for result, count in expected.items():
        labels = {"server": "0042", "result": result}
        assert metrics.registry.get_sample_value("wolkvox_hits_rows_total", labels) == count


def test_unmarked_rows_are_a_result_of_their_own(observer: ServiceObserver, metrics: Metrics, written: Written) -> None:
    for _ in range(2):
        observer.polled(polled(None, unmarked=3))
    assert observer.numbers("0042").unmarked == 6
    labels = {"server": "0042", "result": "unmarked"}
    assert metrics.registry.get_sample_value("wolkvox_hits_rows_total", labels) == 6
    assert [line["unmarked"] for line in written.lines] == [3, 3]


def test_the_newest_row_is_the_latest_of_all_and_never_one_to_come(
    observer: ServiceObserver, metrics: Metrics, clock: HandClock
) -> None:
    now, shown = clock.now().wall, []
    for newest in (None, now - 60, now - 600, None, now + 9e9, now - 30):
        observer.polled(polled(newest))
        shown.append(metrics.registry.get_sample_value("wolkvox_hits_newest_row_timestamp_seconds", {"server": "0042"}))
    assert shown == [None, now - 60, now - 60, now - 60, now, now]
    metrics.forget("0042")
    assert metrics.registry.get_sample_value("wolkvox_hits_newest_row_timestamp_seconds", {"server": "0042"}) is None
