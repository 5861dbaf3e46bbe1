"""How findings are told."""

from __future__ import annotations

import json

import pytest

from producer.commands.check_findings import Verdict, failed, ok, print_findings, warning, worst
from tests.unit.commands.screens import pipe, printed, terminal

FINDINGS = [
    ok("settings", "read", "1 source"),
    warning("source 0042", "clock", "it is 2h behind", "set it by NTP"),
    failed("kafka", "ledger", "cleanup.policy=delete " * 6, "kafka-configs --alter --entity-name a.long.topic.name"),
]


def test_the_worst_finding_is_the_verdict() -> None:
    assert worst(FINDINGS) is Verdict.FAILED
    assert worst(FINDINGS[:2]) is Verdict.WARNING
    assert worst(FINDINGS[:1]) is Verdict.OK
    assert worst([]) is Verdict.OK


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_terminal_shows_every_word_within_its_width(width: int) -> None:
    console = terminal(width)
    print_findings(console, FINDINGS, as_json=False)
    lines = printed(console)
    assert max(map(len, lines)) <= width
    told = " ".join(" ".join(lines).split())
    for finding in FINDINGS:
        for word in [finding.verdict, finding.area, finding.subject, *finding.text.split(), *finding.hint.split()]:
            assert word in told
    assert lines[-1] == "1 ok   1 warning   1 failed"


def test_a_pipe_gets_a_line_for_each_finding_with_what_to_do() -> None:
    console = pipe()
    print_findings(console, FINDINGS, as_json=False)
    head, first, second, third = printed(console)
    assert head.split() == ["VERDICT", "WHERE", "WHAT", "FOUND"]
    assert first.split("  ")[0] == "ok"
    assert second.endswith("it is 2h behind  ->  set it by NTP")
    assert third.startswith("failed")


def test_json_is_one_object_with_the_verdict_and_every_finding() -> None:
    console = pipe()
    print_findings(console, FINDINGS, as_json=True)
    found = json.loads("\n".join(printed(console)))
    assert found["verdict"] == "failed"
    assert [finding["verdict"] for finding in found["findings"]] == ["ok", "warning", "failed"]
    assert found["findings"][1] == {
        "area": "source 0042",
        "subject": "clock",
        "verdict": "warning",
        "text": "it is 2h behind",
        "hint": "set it by NTP",
    }
