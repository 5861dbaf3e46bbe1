from __future__ import annotations

import io
from collections.abc import Iterable

import orjson
import pytest
from rich.console import Console

from producer.demo.broker import Progress
from producer.demo.show import demo, lines
from producer.demo.show.audit import Audit, audit
from producer.demo.show.instance import _unset
from producer.demo.show.lines import Lines
from producer.demo.show.narrator import FAILS, HOLDS, Shown, View
from producer.demo.show.plan import Plan
from producer.demo.show.readback import LAST, HitLine, Readback
from producer.demo.show.screen import Screen, picture
from producer.demo.simulator import Simulator
from producer.settings import load
from tests.unit.demo.simulated_time import MovedClock

CONN_ID = "6736.4628.1040.1768782812.1814"
TELEPHONE, CUSTOMER = "3000001234", "1000045678"


def event(conn_id: str = CONN_ID, *, occurred_at: str | None = "2026-01-18T20:13:32-05:00") -> bytes:
    return orjson.dumps(
        {
            "conn_id": conn_id,
            "server": "0042",
            "type_interaction": "internal call_inb",
            "date": "20260118201332",
            "telephone": TELEPHONE,
            "customer_id": CUSTOMER,
            "hit": "RENOVACIÓN DE CONTRATO",
            "occurred_at": occurred_at,
            "observed_at": "2026-01-19T01:13:33.000000Z",
        }
    )


AT = 1_768_785_212.0


def test_what_is_kept_to_be_shown_holds_no_personal_data() -> None:
    readback = Readback()
    readback.take_hit(event(), now=AT + 1.5)
    (line,) = readback.last
    assert line == HitLine(CONN_ID, "internal call_inb", "RENOVACIÓN DE CONTRATO", AT, 1.5)
    assert TELEPHONE not in repr(vars(readback))
    assert CUSTOMER not in repr(vars(readback))


def test_each_event_counts_and_only_the_last_are_kept() -> None:
    readback = Readback()
    for number in range(LAST + 5):
        readback.take_hit(event(f"{number}"), now=AT)
    readback.take_hit(event("3"), now=AT)
    assert len(readback.events) == LAST + 6
    assert readback.duplicates == 1
    assert [line.conn_id for line in readback.last][-2:] == ["16", "3"]
    assert readback.missing({"3", "16", "x"}) == 1


def test_a_hit_whose_date_does_not_parse_has_no_delay() -> None:
    readback = Readback()
    readback.take_hit(event(occurred_at=None), now=AT)
    assert (readback.last[0].occurred_at, readback.last[0].delay) == (None, None)


def test_what_a_hit_said_is_in_the_order_observed_whichever_topic_is_read_first() -> None:
    readback = Readback()
    first = orjson.loads(event()) | {"first_observed_at": "2026-01-19T01:13:33.000000Z"}
    readback.take_change(orjson.dumps(first | {"hit": "b", "observed_at": "2026-01-19T01:13:35.000000Z"}))
    readback.take_change(orjson.dumps(first | {"hit": None, "observed_at": "2026-01-19T01:13:34.500000Z"}))
    readback.take_hit(event(), now=AT)
    assert readback.words == {CONN_ID: ["RENOVACIÓN DE CONTRATO", "", "b"]}
    assert (readback.changes, len(readback.events)) == (2, 1)


def test_what_came_from_the_history_is_not_held_to_the_words_of_the_report() -> None:
    readback = Readback()
    readback.take_hit(event(), now=AT, recovered=True)
    assert (readback.events, readback.words) == ([CONN_ID], {})


def test_a_gap_that_was_healed_is_no_gap_more() -> None:
    readback = Readback()
    gap = {"server": "0042", "from": "2026-01-19T01:13:33Z", "to": "2026-01-19T01:14:33Z"}
    readback.take_gap(orjson.dumps(gap | {"kind": "unpolled", "certain": True}))
    readback.take_gap(orjson.dumps(gap | {"method": "history", "found": 9, "published": 7, "already_told": 2}))
    assert (len(readback.gaps), readback.recovered) == (1, 7)


@pytest.mark.parametrize("width", [79, 100])
def test_the_table_fits_and_shows_whole_ids_and_delays(width: int) -> None:
    text = _drawn(_view(), width=width)
    assert max(map(len, text.splitlines())) <= width + 1
    assert CONN_ID in text
    assert "20:13:32" in text
    assert "1.5 s" in text
    assert "duplicates 1" in text
    assert "service ok (process 4711)" in text


def test_a_low_terminal_gets_the_last_rows() -> None:
    text = _drawn(_view([_line(f"id-{number}", number) for number in range(12)]), rows=3)
    assert "id-8" not in text
    assert all(f"id-{number}" in text for number in (9, 10, 11))


def test_what_the_api_sends_is_no_markup() -> None:
    assert "[red]x" in _drawn(_view([HitLine("a", "[red]x", "[/]", None, None)]))


def test_the_screen_keeps_the_story_above_the_table() -> None:
    out = io.StringIO()
    screen = Screen(Console(file=out, width=80, height=24, force_terminal=True, color_system=None, highlight=False))
    screen.step("Kafka starts")
    screen.fetched(Progress(1, 46, 1.0, 44.0))
    screen.say("It answers.")
    screen.show(_view())
    screen.say("Something happened.")
    screen.close()
    screen.verdict(_verdict(shown={"a"}, events=["a"]))
    text = out.getvalue()
    order = ["1. Kafka starts", "fetching Kafka", "It answers.", CONN_ID, "Something happened.", "Audit: ", HOLDS[:40]]
    assert [text.find(part) for part in order] == sorted(text.find(part) for part in order)
    assert -1 not in [text.find(part) for part in order]


def test_plain_lines_count_every_few_seconds_and_name_the_last_hit() -> None:
    out, clock = io.StringIO(), MovedClock()
    plain = Lines(out, clock=lambda: clock.wall)
    plain.show(_view())
    assert not out.getvalue()
    clock.move(lines.EVERY)
    plain.show(_view())
    plain.show(_view())
    counted, last = out.getvalue().splitlines()
    assert "shown by the API 7, events 6, duplicates 1, missing so far 2" in counted
    assert CONN_ID in last


def test_of_a_real_api_is_only_told_what_can_be_known() -> None:
    out, clock = io.StringIO(), MovedClock()
    plain = Lines(out, clock=lambda: clock.wall)
    clock.move(lines.EVERY)
    plain.show(_view(told=False))
    counted = out.getvalue().splitlines()[0]
    assert counted == "   [events 6, duplicates 1, changes told 4, gaps told 1; service ok (process 4711)]"
    drawn = [line.strip() for line in _drawn(_view(told=False)).splitlines()]
    assert "events 6   duplicates 1" in drawn
    assert "changes 4   coverage gaps told 1   service ok (process 4711)" in drawn


def test_plain_lines_tell_the_fetching_in_quarters() -> None:
    out = io.StringIO()
    plain = Lines(out, clock=lambda: 0.0)
    for megabytes in range(45):
        plain.fetched(Progress(megabytes, 46, float(megabytes), 44.0))
    assert [line.split(":")[1] for line in out.getvalue().splitlines()] == [
        f" {megabytes} of 44 MB" for megabytes in (0, 11, 22, 33, 44)
    ]


def test_plain_lines_say_what_failed() -> None:
    out = io.StringIO()
    Lines(out, clock=lambda: 0.0).verdict(_verdict(shown={"a"}, events=["b"]))
    assert out.getvalue().splitlines()[1:] == [
        "   shown by the API, no event: a",
        "   an event, never shown by the API: b",
        FAILS,
    ]


def test_the_plan_gives_settings_without_a_warning() -> None:
    plan = Plan()
    settings = load(config=None, environ=plan.settings(Simulator(), "127.0.0.1:9092"))
    assert not settings.warnings
    assert settings.sources[0].window == plan.window
    assert plan.outage > plan.report


def test_a_rate_that_can_not_be_is_refused_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="rate: more than 0"):
        demo(rate=0.0)
    assert not capsys.readouterr().out


def test_the_service_gets_neither_settings_of_a_real_operation_nor_proxies() -> None:
    environ = ["PATH", "KAFKA_SASL_PASSWORD", "WOLKVOX_HITS_CONFIG", "HTTPS_PROXY", "http_proxy", "LANG", "LOG_LEVEL"]
    removed = [name for name in _unset(dict.fromkeys(environ, "x")) if name != "-u"]
    assert removed == ["KAFKA_SASL_PASSWORD", "WOLKVOX_HITS_CONFIG", "HTTPS_PROXY", "http_proxy", "LOG_LEVEL"]


def _line(conn_id: str = CONN_ID, second: int = 0) -> HitLine:
    return HitLine(conn_id, "internal call_inb", "RENOVACIÓN DE CONTRATO", AT + second, 1.5)


def _view(last: Iterable[HitLine] | None = None, *, told: bool = True) -> View:
    return View(
        shown=Shown(7, missing=2, unseen=3) if told else None,
        events=6,
        duplicates=1,
        changes=4,
        gaps=1,
        service="ok (process 4711)",
        last=tuple([_line()] if last is None else last),
    )


def _drawn(view: View, *, rows: int = 12, width: int = 79) -> str:
    out = io.StringIO()
    Console(file=out, width=width + 1, highlight=False).print(picture(view, rows=rows, width=width))
    return out.getvalue()


def _verdict(*, shown: set[str], events: list[str]) -> Audit:
    return audit(shown=shown, events=events, gaps=[], never_shown=[], said={}, words={})
