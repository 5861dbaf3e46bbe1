from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
import warnings

import pytest

from producer.errors import Retry
from producer.observe.lines import Repeats
from producer.observe.logs import Undocumented, configure, context, get_logger
from tests.unit.observe.conftest import HandClock, Written

log = get_logger("producer.core.poller")


def begin(written: Written, clock: HandClock, *, level: str = "info", strict: bool = False) -> None:
    configure(level=level, format="json", stream=written, clock=clock, strict=strict, repeats=Repeats(limit=2))


def test_a_line_is_json_with_time_level_and_event_first(written: Written, clock: HandClock) -> None:
    begin(written, clock)
    log.info("poll_done", server="0042", rows=3, new=1)
    assert written.getvalue() == (
        '{"timestamp": "2026-01-19T00:33:32.000000Z", "level": "info", "event": "poll_done", '
        '"logger": "producer.core.poller", "server": "0042", "rows": 3, "new": 1}\n'
    )


def test_an_undocumented_field_is_left_out_in_production_and_its_name_told(written: Written, clock: HandClock) -> None:
    begin(written, clock)
    log.info("poll_done", rows=3, telephone="573001112233")
    assert "573001112233" not in written.getvalue()
    assert written.lines[0]["undocumented"] == ["telephone"]


def test_an_undocumented_event_is_told_without_its_fields(written: Written, clock: HandClock) -> None:
    begin(written, clock)
    log.info("surprise", token="secret")
    assert written.lines[0]["event"] == "undocumented"
    assert written.lines[0]["message"] == "surprise"
    assert "secret" not in written.getvalue()


@pytest.mark.parametrize("configured", ["strictly", "not at all"])
def test_what_is_not_documented_raises_in_tests(written: Written, clock: HandClock, configured: str) -> None:
    if configured == "strictly":
        begin(written, clock, strict=True)
    with pytest.raises(Undocumented, match="surprise"):
        log.info("surprise")
    with pytest.raises(Undocumented, match="telephone"):
        log.info("poll_done", telephone="573001112233")
    with pytest.raises(Undocumented, match="at info, not at error"):
        log.error("poll_done")


def test_lines_below_the_level_are_not_written(written: Written, clock: HandClock) -> None:
    begin(written, clock, level="warning")
    log.info("poll_done", rows=1)
    log.warning("poll_failed", outcome="retry")
    assert [line["event"] for line in written.lines] == ["poll_failed"]


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="verbose"):
        configure(level="verbose")


def test_our_errors_show_their_text_and_others_only_their_type(written: Written, clock: HandClock) -> None:
    begin(written, clock)
    log.warning("poll_failed", error=Retry("503 from the API"))
    log.warning("poll_failed", error=ValueError("row of 573001112233"))
    assert [line["error"] for line in written.lines] == ["503 from the API", "ValueError"]


async def test_the_lines_of_a_poll_share_its_id_also_in_the_tasks_it_starts(written: Written, clock: HandClock) -> None:
    async def later() -> None:
        log.info("committed", events=1)

    begin(written, clock)
    with context(server="0042", poll="0042-7"):
        log.info("poll_done", rows=1)
        task = asyncio.create_task(later())
    log.info("topics_created")
    await task
    assert [line.get("poll") for line in written.lines] == ["0042-7", None, "0042-7"]


def test_a_context_holds_only_what_ties_lines_together() -> None:
    with pytest.raises(Undocumented, match="telephone"), context(telephone="573001112233"):
        pass


def test_repeats_are_left_out_and_counted_by_the_next(written: Written, clock: HandClock) -> None:
    begin(written, clock)
    for _ in range(5):
        log.warning("poll_failed", server="0042")
    log.warning("poll_failed", server="0043")
    clock.pass_by(300)
    log.warning("poll_failed", server="0042")
    told = [(line["server"], line.get("suppressed")) for line in written.lines]
    assert told == [("0042", None), ("0042", None), ("0043", None), ("0042", 3)]


def test_repeats_hide_no_other_outcome(written: Written, clock: HandClock) -> None:
    begin(written, clock)
    for outcome in ("retry", "retry", "retry", "bad_token", "retry"):
        log.warning("poll_failed", server="0042", outcome=outcome)
    assert [line["outcome"] for line in written.lines] == ["retry", "retry", "bad_token"]


def test_a_refusal_of_kafka_that_goes_on_is_not_told_for_ever(written: Written, clock: HandClock) -> None:
    begin(written, clock)
    for _ in range(50):
        log.error("kafka_refused", error=Retry("no permission"))
    assert len(written.lines) == 2


def test_what_may_not_be_missed_is_never_left_out(written: Written, clock: HandClock) -> None:
    begin(written, clock)
    for _ in range(50):
        log.warning("coverage_gap", server="0042", kind="unpolled")
    assert len(written.lines) == 50


@pytest.mark.parametrize("name", ["aiokafka.client", "httpx", "httpcore.connection", "uvicorn.error", "asyncio"])
def test_libraries_stay_at_warning_whatever_the_level(written: Written, clock: HandClock, name: str) -> None:
    begin(written, clock, level="debug")
    for level in (logging.DEBUG, logging.INFO, logging.WARNING):
        logging.getLogger(name).log(level, "a whole request, or its header")
    assert [(line["event"], line["logger"]) for line in written.lines] == [("library_message", name)]


def test_a_library_told_to_say_more_is_still_not_written(written: Written, clock: HandClock) -> None:
    begin(written, clock, level="debug")
    logging.getLogger("aiokafka").setLevel(logging.DEBUG)
    logging.getLogger("aiokafka.conn").debug("a whole request")
    assert written.lines == []


def test_a_library_makes_no_message_for_others_who_listen(
    written: Written, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    begin(written, clock, level="debug")
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("aiokafka.conn").debug("a whole request")
    assert caplog.records == []


def test_a_librarys_message_carries_no_long_number_no_second_line_no_traceback(
    written: Written, clock: HandClock
) -> None:
    begin(written, clock)
    try:
        int("x573001112233")
    except ValueError:
        logging.getLogger("asyncio").exception("call of %s\n%s", 573001112233, {"customer_id": "Ana"})
    [line] = written.lines
    assert line["message"] == "call of #"
    assert line["exception"].startswith("ValueError at test_logs.py:")
    assert "573001112233" not in written.getvalue()
    assert "Ana" not in written.getvalue()


def test_a_warning_of_python_is_a_line_too(written: Written, clock: HandClock) -> None:
    begin(written, clock)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old ways", DeprecationWarning, stacklevel=1)
    assert written.lines[0]["logger"] == "py.warnings"


def test_configuring_twice_does_not_double_the_lines(written: Written, clock: HandClock) -> None:
    begin(written, clock)
    begin(written, clock)
    logging.getLogger("aiokafka").warning("once")
    assert len(written.lines) == 1


def test_a_closed_stream_disturbs_nobody(written: Written, clock: HandClock) -> None:
    begin(written, clock)
    written.close()
    log.info("poll_done", rows=1)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_lines_for_people_and_a_pipe_json(clock: HandClock) -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        configure(stream=stream, clock=clock)
        log.info("shards_assigned", shards=[1, 2])
    assert "\x1b[" in terminal.getvalue()
    assert "shards_assigned" in terminal.getvalue()
    assert json.loads(pipe.getvalue())["shards"] == [1, 2]


def test_console_lines_have_no_colour_where_nobody_wants_it(clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()
    configure(stream=terminal, clock=clock)
    log.info("shards_assigned", shards=[1])
    assert "\x1b" not in terminal.getvalue()


def test_a_text_can_neither_break_a_line_nor_colour_a_terminal(clock: HandClock) -> None:
    stream = io.StringIO()
    configure(format="console", stream=stream, clock=clock)
    log.warning("poll_failed", error=Retry("no\n2026 [info] forged \x1b[31m \ud800 \u202e"))
    assert stream.getvalue().removesuffix("\n").isprintable()
    assert "forged" in stream.getvalue()


def test_until_it_is_configured_the_log_is_silent_below_warning(capsys: pytest.CaptureFixture[str]) -> None:
    log.info("poll_done", rows=1)
    assert capsys.readouterr() == ("", "")
    assert sys.stderr is not None
