"""For each alert of ops/prometheus/alerts.yml: series under which it fires, and when, and when it is quiet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """`series` a minute apart, as promtool writes them (`0+1x5`: 0 to 5; `_x5`: none); times in minutes."""

    alert: str
    series: Mapping[str, str]
    fires: int
    quiet: tuple[int, ...]
    labels: Labels


ONE: Labels = {"server": "0042"}
A: Labels = {"instance": "a"}
POLLS = 'wolkvox_hits_polls_total{instance="a", server="0042", outcome="%s"}'
OF_ONE = 'wolkvox_hits_%s{instance="a", server="0042"}'
PUBLISHED = 'wolkvox_hits_rows_total{instance="a", server="0042", result="published"}'
DRIFT = 'wolkvox_hits_drift_total{instance="a", kind="%s"}'
TRANSACTIONS = 'wolkvox_hits_transactions_total{instance="a", outcome="%s"}'

CASES = (
    Case("InstanceDown", {'up{job="wolkvox-hits", instance="a"}': "1x4 0x9 1x9"}, 9, (4, 6, 20),
         {"job": "wolkvox-hits", **A}),
    Case("NothingPolled", {POLLS % "ok": "0+1x5 _x20"}, 19, (5,), {}),
    # Another instance takes over within a minute: nothing to tell. Then that one goes, too.
    Case("SourceNotPolled", {
        OF_ONE % "poll_seconds_count": "0+1x5 stale",
        'wolkvox_hits_poll_seconds_count{instance="b", server="0042"}': "_x6 0+1x9 stale",
    }, 24, (5, 8, 15), ONE),
    Case("SourceNotPolled", {
        'wolkvox_hits:expected_source{server="0043"}': "1x30",
        'wolkvox_hits_poll_seconds_count{instance="b", server="0043"}': "_x15 0+1x15",
    }, 10, (20,), {"server": "0043"}),
    Case("UnknownSources", {'wolkvox_hits_unknown_sources{instance="a"}': "0x5 2x20 0x9"}, 20, (5, 10, 30), {}),
    Case("DataLossNear", {OF_ONE % "seconds_until_data_loss": "590-60x4 590-60x8"}, 13, (4, 10), ONE),
    # The other instance is what remains of an owner that was: the larger counts.
    Case("DataLoss", {
        OF_ONE % "seconds_until_data_loss": "500 0x9",
        'wolkvox_hits_seconds_until_data_loss{instance="b", server="0042"}': "500x5 -1x9",
    }, 8, (0, 4), ONE),
    Case("SourceLate", {OF_ONE % "last_success_timestamp_seconds": "0x17 1020x9"}, 16, (14, 20), ONE),
    Case("PollsFailing", {POLLS % "ok": "0+1x5 5x30 6+1x9", POLLS % "retry": "0x5 1+1x25 26x20"}, 30, (5, 10, 40), ONE),
    Case("BadToken", {POLLS % "ok": "0+1x5 5x20 6+1x9", POLLS % "bad_token": "0x5 1+1x19 20x9"}, 15, (5, 28), ONE),
    Case("BadToken", {POLLS % "bad_token": "_x3 1x30", POLLS % "ok": "_x3 0x9 1+1x30"}, 5, (1, 18), ONE),
    Case("QuotaSpent", {POLLS % "ok": "0+1x5 5x300 6+1x9", POLLS % "quota_spent": "0x5 1x400"}, 240, (5, 310), ONE),
    Case("CoverageGap", {OF_ONE % "coverage_gap_seconds_total": "0x20 90x40"}, 25, (20, 50), ONE),
    # Told by the first poll after the shard was taken, before the first scrape.
    Case("CoverageGap", {OF_ONE % "coverage_gap_seconds_total": "_x5 90x60"}, 6, (4, 40), ONE),
    # One that heals by itself; one that does not, and does at last.
    Case("GapNotHealed", {OF_ONE % "gaps_waiting": "0x10 1x30 0x20 2x120 0x20"}, 150, (35, 55, 130, 190), ONE),
    Case("SnapshotTruncated", {OF_ONE % "snapshot_truncated_total": "0x20 1x40"}, 25, (20, 50), ONE),
    Case("DeadLetters", {
        'wolkvox_hits_rows_total{instance="a", server="0042", result="dead_lettered"}': "0x20 3x40",
        PUBLISHED: "0+9x60",
    }, 25, (20, 50), ONE),
    # Each hit typified late is one change; then the same few change at each poll.
    Case("ManyChanges", {
        'wolkvox_hits_rows_total{instance="a", server="0042", result="changed"}': "0+4x60 240+9x60 780x120",
        PUBLISHED: "0+5x60 300+2x180",
    }, 120, (50, 62, 230), ONE),
    # One correction in a night without hits.
    Case("ManyChanges", {
        'wolkvox_hits_rows_total{instance="a", server="0042", result="changed"}': "0x20 3x40 3+3x60",
        PUBLISHED: "0x120",
    }, 90, (50,), ONE),
    Case("DatesUnparsed", {OF_ONE % "dates_unparsed_total": "0x20 3x40"}, 25, (20, 50), ONE),
    Case("DatesUnparsed", {OF_ONE % "dates_unparsed_total": "_x5 3x60"}, 6, (4, 40), ONE),
    # Rows, and none of them new; at last one is.
    Case("ReportStandsStill", {
        OF_ONE % "newest_row_timestamp_seconds": "0x120 7200x20", OF_ONE % "snapshot_rows": "3x150",
        PUBLISHED: "0+1x5 5x115 6x20",
    }, 110, (60, 89, 125), ONE),
    # A quiet night has no rows; chats that were opened long ago are told all the same.
    Case("ReportStandsStill", {
        OF_ONE % "newest_row_timestamp_seconds": "0x240", OF_ONE % "snapshot_rows": "0x120 3x120",
    }, 130, (110,), ONE),
    Case("ReportStandsStill", {
        OF_ONE % "newest_row_timestamp_seconds": "0x240", OF_ONE % "snapshot_rows": "3x240",
        PUBLISHED: "0x20 0+1x60 60x160",
    }, 220, (95, 150), ONE),
    Case("Drift", {
        DRIFT % "dirt": "0x20 1x40", DRIFT % "total_line": "0+1x60", DRIFT % "stands_still": "0+1x60",
    }, 25, (20, 50), {"kind": "dirt"}),
    # In the first poll, before the first scrape; two instances tell of one kind.
    Case("Drift", {
        DRIFT % "not_utf8": "_x5 7x60", 'wolkvox_hits_drift_total{instance="b", kind="not_utf8"}': "0x9 1x60",
    }, 6, (4, 40), {"kind": "not_utf8"}),
    Case("RowsDropped", {
        'wolkvox_hits_pending_dropped_total{instance="a", server="0042", reason="superseded"}': "_x9 7x60",
    }, 10, (8, 40), {"reason": "superseded", **ONE}),
    Case("PendingGrowing", {OF_ONE % "pending_hits": "0x5 4x5 0x5 4+4x20 0x9"}, 30, (10, 20, 40), ONE),
    Case("PendingLimitNear", {
        OF_ONE % "pending_hits": "0x5 200000x9",
        'wolkvox_hits_pending_hits{instance="a", server="0043"}': "0x9 100000x5",
    }, 12, (5, 9), A),
    Case("KafkaNotCommitting", {
        TRANSACTIONS % "committed": "0+1x5 5x20 6+1x9", TRANSACTIONS % "failed": "0x5 1+1x20 21x9",
    }, 20, (5, 10, 30), A),
    Case("FencedRepeatedly", {TRANSACTIONS % "fenced": "0x5 1x9 2+1x20 22x80"}, 45, (14, 110), {}),
)  # fmt: skip


def promtool_tests(cases: tuple[Case, ...], *, rules: str, severities: Mapping[str, str]) -> str:
    """The file that `promtool test rules` takes; `severities` by the alert's name, without the common prefix."""
    return yaml.safe_dump(
        {"rule_files": [rules], "evaluation_interval": "1m", "tests": list(_tests(cases, severities))}
    )


def _tests(cases: tuple[Case, ...], severities: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for case in cases:
        name = f"WolkvoxHits{case.alert}"
        fired = [{"exp_labels": {"severity": severities[case.alert], **case.labels}}]
        yield {
            "interval": "1m",
            "name": name,
            "input_series": [{"series": series, "values": values} for series, values in case.series.items()],
            "alert_rule_test": [
                {"alertname": name, "eval_time": f"{case.fires}m", "exp_alerts": fired},
                *({"alertname": name, "eval_time": f"{at}m", "exp_alerts": []} for at in case.quiet),
            ],
        }
