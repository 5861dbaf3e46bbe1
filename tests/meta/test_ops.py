"""The alert rules and the dashboard: they ask for metrics that exist, and each alert fires when it should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from producer.model import Drift, GapKind
from producer.observe.metrics import POLL_OUTCOMES, RESULTS, TRANSACTION_OUTCOMES, Metrics
from tests.meta.alert_cases import CASES, Case, promtool_tests

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "ops" / "prometheus"
DASHBOARD = ROOT / "ops" / "grafana" / "dashboards" / "wolkvox-hits.json"
RUNBOOK = (ROOT / "docs" / "operating.md").read_text()
ALERTS: list[dict[str, Any]] = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"][0]["rules"]
NAMES = [alert["alert"].removeprefix("WolkvoxHits") for alert in ALERTS]
LABELS = {
    "kind": {*Drift, *GapKind},
    "outcome": {*POLL_OUTCOMES, *TRANSACTION_OUTCOMES, "pending_limit"},
    "result": set(RESULTS),
}
with_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool here: apt-get install prometheus"
)


def scraped() -> set[str]:
    """Every series name that a scrape of ours may show, and the one that sources.yml records."""
    parts = {"histogram": ("_bucket", "_sum", "_count")}
    names = {name + part for name, kind, _, _ in Metrics().table() for part in parts.get(kind, ("",))}
    return names | {"wolkvox_hits:expected_source"}


def dashboard_expressions() -> Iterator[str]:
    """Every query of the dashboard."""
    dashboard = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))
    yield from (one["definition"] for one in dashboard["templating"]["list"] if one["type"] == "query")


def asked(expression: str) -> set[str]:
    """The metrics of ours that an expression names."""
    return set(re.findall(r"\bwolkvox_hits[_:]\w+", expression))


EXPRESSIONS = {**{alert["alert"]: alert["expr"] for alert in ALERTS}, "dashboard": " ".join(dashboard_expressions())}


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_only_metrics_that_exist_are_asked_for(where: str) -> None:
    assert asked(EXPRESSIONS[where]) <= scraped()


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_only_label_values_that_exist_are_asked_for(where: str) -> None:
    found = re.findall(r"(\w+)(?:=|!=|=~|!~)\"([^\"]*)\"", EXPRESSIONS[where])
    for label, values in found:
        assert set(values.split("|")) <= LABELS.get(label, {values}), f"{label}: {values}"


def test_the_dashboard_shows_every_metric() -> None:
    shown = asked(EXPRESSIONS["dashboard"])
    missing = [name for name, *_ in Metrics().table() if not any(one.startswith(name) for one in shown)]
    assert not missing


def test_the_dashboard_has_no_two_panels_in_one_place() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_only_seconds_are_shown_in_seconds() -> None:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        config = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
        units = {
            override["matcher"]["options"]: one["value"]
            for override in config["overrides"]
            if override["matcher"]["id"] == "byFrameRefID"
            for one in override["properties"]
            if one["id"] == "unit"
        }
        for target in panel.get("targets", []):
            unit = units.get(target["refId"], config["defaults"].get("unit"))
            assert unit != "s" or "seconds" in target["expr"], f"{panel['title']}: {target['expr']}"


def test_every_alert_has_a_row_in_the_runbook_and_every_row_an_alert() -> None:
    rows = re.findall(r"^\| `WolkvoxHits(\w+)` \|", RUNBOOK, re.MULTILINE)
    assert sorted(rows) == sorted(NAMES)


def test_every_alert_says_how_bad_it_is_and_what() -> None:
    for alert in ALERTS:
        assert alert["labels"]["severity"] in {"critical", "warning"}
        assert alert["annotations"].keys() == {"summary", "runbook"}


def test_every_alert_has_a_case() -> None:
    assert {case.alert for case in CASES} == set(NAMES)
    assert all(case.quiet for case in CASES)


@with_promtool
def test_the_configuration_and_its_rules_are_valid() -> None:
    promtool("check", "config", str(PROMETHEUS / "prometheus.yml"))


@with_promtool
def test_each_alert_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    run_cases(tmp_path, CASES)


@with_promtool
@pytest.mark.parametrize("name", sorted(set(NAMES)))
def test_an_alert_that_asks_for_something_else_is_found_out(name: str, tmp_path: Path) -> None:
    cases = tuple(case for case in CASES if case.alert == name)
    with pytest.raises(AssertionError, match="FAILED"):
        run_cases(tmp_path, cases, broken=name)


def run_cases(folder: Path, cases: tuple[Case, ...], *, broken: str = "") -> None:
    """`promtool test rules`, on the rules without the annotations: their texts are for people."""
    rules = [{key: value for key, value in alert.items() if key != "annotations"} for alert in ALERTS]
    for rule in rules:
        if rule["alert"] == f"WolkvoxHits{broken}":
            rule["expr"] = "absent(no_such_series)"
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "rules", "rules": rules}]}))
    severities = dict(zip(NAMES, (alert["labels"]["severity"] for alert in ALERTS), strict=True))
    tests = folder / "tests.yml"
    tests.write_text(promtool_tests(cases, rules="rules.yml", severities=severities))
    promtool("test", "rules", str(tests))


def promtool(*arguments: str) -> None:
    """Runs it; fails with what it says."""
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
