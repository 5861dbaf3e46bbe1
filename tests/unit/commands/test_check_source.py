"""What `check` says of a source, by what its API answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from producer.commands.check import named
from producer.commands.check_findings import Finding, Verdict
from producer.commands.check_source import SourceCheck, clock_offset
from producer.errors import BadToken, NotASnapshot, PollFailed, QuotaSpent, Refused, Retry, SlowDown
from producer.model import RECORD_CAP
from producer.settings import load
from tests.unit.commands.answers import EVENING, ScriptedApi, info, snapshot
from tests.unit.settings.reading import read


def source_check(**environ: str) -> SourceCheck:
    settings = read(**environ)
    return named(settings, settings.sources[0])


async def found(api: ScriptedApi, **environ: str) -> dict[str, Finding]:
    return {finding.subject: finding async for finding in source_check(**environ).findings(api)}


async def test_a_healthy_source_is_ok_in_everything_and_costs_two_calls() -> None:
    api = ScriptedApi()
    findings = await found(api)
    assert list(findings) == ["api", "token", "quota", "clock", "report"]
    assert {finding.verdict for finding in findings.values()} == {Verdict.OK}
    assert "its certificate is trusted" in findings["api"].text
    assert "two calls" in findings["token"].text
    assert findings["report"].text == "2 rows now, in 0.25 s of POLL_TIMEOUT 1m"
    assert api.calls == 2


@pytest.mark.parametrize(
    ("error", "subject", "verdict", "hint"),
    [
        (BadToken("refused"), "token", Verdict.FAILED, "WOLKVOX_TOKEN: copy the token again"),
        (QuotaSpent("spent"), "quota", Verdict.FAILED, "midnight in America/Bogota"),
        (SlowDown("in use"), "token", Verdict.WARNING, "a running instance of this service"),
        (Refused("suspended"), "api", Verdict.FAILED, "ask Wolkvox about server 0042"),
        (Retry("no connection"), "api", Verdict.FAILED, "WOLKVOX_SERVER"),
    ],
)
async def test_a_refusal_says_what_to_mend_and_spends_no_second_call(
    error: PollFailed, subject: str, verdict: Verdict, hint: str
) -> None:
    api = ScriptedApi(token=error)
    findings = await found(api)
    assert list(findings) == [subject]
    assert findings[subject].verdict is verdict
    assert str(error) in findings[subject].text
    assert hint in findings[subject].hint
    assert api.calls == 1


async def test_an_api_without_token_info_is_judged_by_its_report() -> None:
    findings = await found(ScriptedApi(token=NotASnapshot("no such report")))
    assert findings["quota"].verdict is Verdict.WARNING
    assert findings["report"].verdict is Verdict.OK


async def test_what_is_no_report_names_the_address_to_look_at() -> None:
    findings = await found(ScriptedApi(report=NotASnapshot("HTML")))
    assert findings["report"].verdict is Verdict.FAILED
    assert "https://wv0042.wolkvox.com" in findings["report"].hint


async def test_a_404_may_mean_that_the_report_does_not_exist() -> None:
    findings = await found(ScriptedApi(report=snapshot(rows=[], not_found=True)))
    assert findings["report"].verdict is Verdict.WARNING


async def test_a_full_report_may_lack_rows() -> None:
    findings = await found(ScriptedApi(report=snapshot(rows=[{}] * RECORD_CAP)))
    assert findings["report"].verdict is Verdict.WARNING


@pytest.mark.parametrize(("hits", "verdict"), [("all", Verdict.WARNING), ("marked", Verdict.OK)])
async def test_how_many_rows_are_unmarked_is_told(hits: str, verdict: Verdict) -> None:
    rows = [{"conn_id": "1", "hit": "SALE"}, {"conn_id": "2", "hit": ""}, {"conn_id": "3"}]
    report = (await found(ScriptedApi(report=snapshot(rows=rows)), WOLKVOX_HITS=hits))["report"]
    assert report.text == "3 rows now, 2 of them unmarked, in 0.25 s of POLL_TIMEOUT 1m"
    assert report.verdict is verdict
    assert ("WOLKVOX_HITS=marked" in report.hint) is (hits == "all")


async def test_a_report_from_a_cache_is_told_with_its_age() -> None:
    old = snapshot(age=1800, requested=snapshot().requested.earlier(1800))
    report = (await found(ScriptedApi(report=old)))["report"]
    assert (report.verdict, report.text) == (
        Verdict.WARNING,
        "2 rows, 30m old: a cache answers for the API (0.25 s of POLL_TIMEOUT 1m)",
    )


async def test_a_clock_that_is_off_is_told_with_its_side() -> None:
    behind = (await found(ScriptedApi(token=info(server_time=EVENING + 7200))))["clock"]
    assert behind.verdict is Verdict.WARNING
    assert "2h behind" in behind.text
    ahead = (await found(ScriptedApi(token=info(server_time=EVENING - 121))))["clock"]
    assert "2m ahead of" in ahead.text


def test_what_rounding_and_the_way_explain_is_no_skew() -> None:
    assert clock_offset(info(server_time=EVENING - 1)) == 0.0
    assert clock_offset(info(server_time=EVENING + 0.25)) == 0.0
    assert clock_offset(info(server_time=EVENING - 3)) == -2.0
    assert clock_offset(info(server_time=None)) is None


def test_what_to_mend_is_called_as_its_owner_wrote_it(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(
        '[wolkvox]\nurl = "http://localhost:1"\n[[source]]\nserver = "42"\ntoken = "t"\n'
        '[[source]]\nserver = "43"\ntoken = "t"\nurl = "https://wv0043.wolkvox.com"\n'
    )
    settings = load(config=file, environ={})
    first, second = (named(settings, source) for source in settings.sources)
    assert (first.token_setting, first.url_setting) == ("[[source]] 0042 token", "WOLKVOX_URL")
    assert (second.token_setting, second.url_setting) == ("[[source]] 0043 token", "[[source]] 0043 server")
    assert source_check().token_setting == "WOLKVOX_TOKEN"
    assert source_check().url_setting == "WOLKVOX_SERVER"
