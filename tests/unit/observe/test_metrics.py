from __future__ import annotations

import sys
from collections import Counter

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from producer.model import Drift, Method
from producer.observe.metrics import DRIFT, Metrics
from tests.unit.observe.statuses import NOW, elsewhere, healthy, outage, standby

DESIGN = """polls_total{server,outcome}, poll_seconds{server}, rows_total{server,result}, snapshot_rows{server},
window_ids{server}, pending_hits{server}, last_success_timestamp_seconds{server}, seconds_until_data_loss{server},
coverage_gaps_total{kind}, coverage_gap_seconds_total{server}, snapshot_truncated_total{server},
transactions_total{outcome}, publish_delay_seconds{}, owned_shards{}, dates_unparsed_total{server}, drift_total{kind},
newest_row_timestamp_seconds{server}, pending_dropped_total{server,reason}, unknown_sources{},
recovered_total{server,method}, gaps_recovered_total{server}, history_disagreements_total{server},
gaps_waiting{server}"""


def scraped(metrics: Metrics) -> dict[tuple[str, str], float]:
    """Each sample of ours: (name without prefix, labels) to value."""
    text = metrics.exposition()[0].decode()
    return {
        (s.name.removeprefix("wolkvox_hits_"), ",".join(f"{k}={v}" for k, v in sorted(s.labels.items()))): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def test_the_metrics_are_those_of_the_contract() -> None:
    wanted = {tuple(one.strip().rstrip("}").split("{")) for one in DESIGN.replace("\n", " ").split("},")}
    table = {(name.removeprefix("wolkvox_hits_"), labels.replace(" ", "")) for name, _, labels, _ in Metrics().table()}
    assert table == wanted


def test_every_metric_of_the_table_is_scraped_under_that_name_and_type() -> None:
    metrics = Metrics()
    families = {family.name: family for family in text_string_to_metric_families(metrics.exposition()[0].decode())}
    for name, kind, _, meaning in metrics.table():
        family = families[name.removesuffix("_total") if kind == "counter" else name]
        assert (family.type, family.documentation) == (kind, meaning)


def test_each_kind_of_drift_has_its_words_and_stands_at_nought() -> None:
    assert list(DRIFT) == list(Drift)
    samples = scraped(Metrics())
    assert {samples["drift_total", f"kind={kind}"] for kind in Drift} == {0}


def test_no_series_tells_only_when_another_began() -> None:
    metrics = Metrics()
    metrics.follow("0042")
    assert [name for name, _ in scraped(metrics) if name.endswith("_created")] == []


def test_the_process_is_scraped_too() -> None:
    names = {name for name, _ in scraped(Metrics())}
    assert {"process_resident_memory_bytes", "python_info"} <= names


def test_a_followed_source_shows_its_counters_at_nought() -> None:
    metrics = Metrics()
    metrics.follow("0042")
    samples = scraped(metrics)
    assert samples["polls_total", "outcome=bad_token,server=0042"] == 0
    assert samples["rows_total", "result=published,server=0042"] == 0
    assert samples["coverage_gap_seconds_total", "server=0042"] == 0


def test_following_again_keeps_what_was_counted() -> None:
    metrics = Metrics()
    metrics.rows_total.labels(server="0042", result="published").inc(3)
    metrics.follow("0042")
    assert scraped(metrics)["rows_total", "result=published,server=0042"] == 3


def test_a_forgotten_source_leaves_no_series_and_its_neighbour_stays() -> None:
    metrics = Metrics()
    for server in ("0042", "0043"):
        metrics.follow(server)
        metrics.window_ids.labels(server=server).set(1)
        metrics.poll_seconds.labels(server=server).observe(1)
        metrics.pending_dropped_total.labels(server=server, reason="superseded").inc()
        metrics.recovered_total.labels(server=server, method=Method.FILE.value).inc()
    neighbours = {key: value for key, value in scraped(metrics).items() if "0043" in key[1]}
    metrics.forget("0042")
    samples = scraped(metrics)
    assert [key for key in samples if "0042" in key[1]] == []
    assert {key: value for key, value in samples.items() if "0043" in key[1]} == neighbours


def test_a_thousand_neighbours_make_no_source_longer_to_forget() -> None:
    """Counted and not timed: a shard that goes elsewhere must not hold the loop."""
    assert steps_to_forget(neighbours=10) == steps_to_forget(neighbours=1_000)


def steps_to_forget(*, neighbours: int) -> int:
    metrics, steps = Metrics(), Counter[str]()
    for server in range(neighbours):
        metrics.follow(f"{server:04}")
    before = sys.getprofile()
    sys.setprofile(lambda _frame, event, _arg: steps.update([event]))
    try:
        metrics.forget("0000")
    finally:
        sys.setprofile(before)
    return steps["call"]


def test_forgetting_a_source_that_was_never_seen_does_nothing() -> None:
    Metrics().forget("0042")


def test_gauges_follow_the_report() -> None:
    metrics = Metrics()
    metrics.reflect(outage())
    samples = scraped(metrics)
    assert samples["owned_shards", ""] == 12
    assert samples["pending_hits", "server=0001"] == 1283
    assert samples["seconds_until_data_loss", "server=0003"] == -340
    assert samples["last_success_timestamp_seconds", "server=0001"] == pytest.approx(NOW, abs=300)


def test_a_source_that_another_instance_polls_has_no_series_here() -> None:
    metrics = Metrics()
    metrics.reflect(standby())
    assert elsewhere("0001") in standby().sources
    assert [key for key in scraped(metrics) if "server=" in key[1]] == []


def test_the_delay_is_a_histogram_of_all_commits() -> None:
    metrics = Metrics()
    metrics.publish_delay_seconds.observe({0.5: 1, 400.0: 1})
    samples = scraped(metrics)
    assert samples["publish_delay_seconds_bucket", "le=300.0"] == 1
    assert (samples["publish_delay_seconds_count", ""], samples["publish_delay_seconds_sum", ""]) == (2, 400.5)


def test_openmetrics_is_spoken_to_those_who_ask() -> None:
    metrics = Metrics()
    metrics.reflect(healthy())
    content, content_type = metrics.exposition("application/openmetrics-text; version=1.0.0, text/plain;q=0.5")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    families = openmetrics(content.decode())  # type: ignore[no-untyped-call]  # the client's parser has no hints
    assert {"wolkvox_hits_polls", "wolkvox_hits_owned_shards"} <= {family.name for family in families}


@pytest.mark.parametrize("version", ["abc", "1.x", "1..0", "", "-", "\xb2", "9" * 5000])
@pytest.mark.parametrize("kind", ["application/openmetrics-text", "text/plain"])
def test_whoever_asks_for_a_version_that_is_none_gets_plain_text_or_the_usual_one(kind: str, version: str) -> None:
    metrics = Metrics()
    content, content_type = metrics.exposition(f"{kind}; version={version}; escaping=x")
    assert b"wolkvox_hits_owned_shards 0.0" in content
    assert content_type.startswith(("text/plain; version=0.0.4", "application/openmetrics-text; version=1.0.0"))


def test_two_registries_live_side_by_side() -> None:
    one, other = Metrics(), Metrics()
    one.owned_shards.set(3)
    assert scraped(other)["owned_shards", ""] == 0
