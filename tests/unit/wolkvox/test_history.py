"""The historical reports: which of their rows are hits, in the live report's shape, and by how many calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from httpx import Response

from producer.errors import BadToken, NotASnapshot, PollFailed, QuotaSpent, Retry, SlowDown
from producer.model import API_FIELDS, Snapshot
from producer.wolkvox.history import CODES_KEPT
from producer.wolkvox.reader import RowReader
from tests.unit.wolkvox.archive import BOGOTA, CODES, NONE_FOUND, Archive, a_call, a_chat, fetched, history_of, ids
from tests.unit.wolkvox.calls import TELEPHONE, TOKEN, HandClock, check_tells_nothing, envelope

NEW_YORK = ZoneInfo("America/New_York")


def at(text: str, zone: ZoneInfo = BOGOTA, *, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


NOON, ONE = at("2026-01-18 12:00:00"), at("2026-01-18 13:00:00")
YEAR = [f"2026-01-{1 + day:02} 12:{minute:02}:00" for day in range(28) for minute in (0, 30)]


def read(snapshot: Snapshot, zone: ZoneInfo = BOGOTA) -> dict[str, Any]:
    """The events' values by conn_id, as the service reads any snapshot."""
    reader = RowReader(server="0042", zone=zone)
    rows = reader.identify(snapshot, known=())
    reading = reader.read(rows.hits, snapshot)
    assert not rows.dead
    assert not reading.dead
    return dict(reading.hits)


async def test_calls_and_chats_with_a_code_that_is_a_hit_are_rows_of_the_live_report() -> None:
    archive = Archive(
        calls=[a_call("1.2", "2026-01-18 12:15:07"), a_call("1.3", "2026-01-18 12:16:00", "BUSY")],
        chats=[
            a_chat("190000001", "2026-01-18 12:20:00", "2026-01-18 12:40:00", "promise"),
            a_chat("190000002", "2026-01-18 12:20:00", "2026-01-18 12:40:00", "TIMEOUTACW"),
        ],
    )
    found = read(await fetched(archive, NOON, ONE))

    assert set(found) == {"1.2", "190000001"}
    assert [found["1.2"][name] for name in API_FIELDS] == [
        *("1.2", "outbound_ma", "20260118121507", TELEPHONE, "1020304050", "VENTA EFECTIVA")
    ]
    assert found["1.2"]["occurred_at"] == "2026-01-18T12:15:07-05:00"
    assert found["190000001"]["type_interaction"] == "whatsapp"
    assert found["190000001"]["telephone"] == TELEPHONE
    assert "extra" not in found["1.2"]


@pytest.mark.parametrize(
    ("code", "flag"), [("SALE", "yes"), (" sale ", "Yes"), ("Sale", "YES "), (7, "yes"), ("SALE", True), ("SALE", "Sí")]
)
async def test_codes_are_compared_trimmed_and_in_capitals_and_their_flag_in_any_casing(code: Any, flag: Any) -> None:
    listed = [{"cod_act": " saLE", "hit": flag}, {"cod_act": 7, "hit": flag}]
    snapshot = await fetched(Archive(calls=[a_call("1.2", "2026-01-18 12:15:07", code)], codes=listed), NOON, ONE)
    assert ids(snapshot) == ["1.2"]


async def test_recover_hit_says_which_field_is_the_text() -> None:
    archive = Archive(calls=[a_call("1.2", "2026-01-18 12:15:07")])
    snapshot = await fetched(archive, NOON, ONE, hit="cod_act")
    assert [row["hit"] for row in snapshot.rows] == ["SALE"]


async def test_a_number_keeps_its_own_digits() -> None:
    archive = Archive(calls=[a_call("1.2", "2026-01-18 12:15:07")])
    body = envelope(data=archive.rows["cdr_1"]).replace(b'"1.2"', b"6736.10")
    archive.answers["cdr_1"] = Response(200, content=body)
    assert set(read(await fetched(archive, NOON, ONE))) == {"6736.10"}


async def test_a_range_without_rows_is_none_and_not_a_failure() -> None:
    snapshot = await fetched(Archive(), NOON, ONE)
    assert (snapshot.rows, snapshot.not_found) == ([], True)
    some = await fetched(Archive(calls=[a_call("1.2", "2026-01-18 12:15:07")]), NOON, ONE)
    assert not some.not_found


async def test_a_chat_is_found_by_its_opening_whenever_it_was_closed() -> None:
    chats = [
        a_chat("1", "2026-01-18 11:59:00", "2026-01-18 12:10:00"),
        a_chat("2", "2026-01-18 12:30:00", "2026-01-19 11:40:00"),
        a_chat("3", "2026-01-18 13:01:00", "2026-01-18 13:02:00"),
    ]
    clock = HandClock()
    clock.wall = at("2026-01-20 08:00:00")
    archive = Archive(chats=chats)
    assert ids(await fetched(archive, NOON, ONE, clock=clock)) == ["2"]
    assert archive.asked("chat_1") == [("20260118120000", "20260119140000")]
    assert archive.asked("cdr_1") == [("20260118120000", "20260118130000")]


async def test_nobody_asks_for_the_future() -> None:
    archive, clock = Archive(), HandClock()
    clock.wall = at("2026-01-18 13:30:00")
    await fetched(archive, NOON, ONE, clock=clock)
    assert archive.asked("chat_1")[0][1] < "20260118133100"


async def test_parts_of_seconds_are_asked_for_whole() -> None:
    archive = Archive(calls=[a_call("1", "2026-01-18 12:00:00"), a_call("2", "2026-01-18 12:00:02")])
    assert ids(await fetched(archive, NOON + 0.5, NOON + 1.5)) == ["1", "2"]


async def test_more_than_the_api_gives_at_once_comes_in_pieces_and_each_row_of_it() -> None:
    calls = [a_call(f"1.{number}", date) for number, date in enumerate(YEAR)]
    archive = Archive(calls=calls, cap=10)
    snapshot = await fetched(archive, at("2026-01-01 00:00:00"), at("2026-01-28 23:59:59"))
    assert sorted(set(ids(snapshot))) == sorted(row["conn_id"] for row in calls)
    assert len(read(snapshot)) == len(calls)


async def test_a_call_asks_for_a_month_at_most() -> None:
    begin, end = at("2025-11-01 00:00:00"), at("2026-01-18 00:00:00")
    archive = Archive(calls=[a_call("1", "2025-12-31 00:00:00")])
    async with history_of(archive) as history:
        assert history.calls(begin, end) == 1 + 3 + 3
        assert set(read(await history.fetch(begin, end))) == {"1"}
        assert len(archive.calls) == 7
        assert history.calls(begin, end) == 6, "the codes are kept"
    for first, last in archive.asked("cdr_1"):
        days = [datetime.fromisoformat(f"{text[:8]}T{text[8:]}") for text in (first, last)]
        assert days[1] - days[0] < timedelta(days=31)


async def test_a_report_that_does_not_heed_its_dates_is_no_history_and_costs_few_calls() -> None:
    archive = Archive(cap=1)
    archive.answers["cdr_1"] = Response(200, content=envelope(data=[a_call("1", "2026-01-18 12:15:07")]))
    with pytest.raises(NotASnapshot, match=r"no history: 1 rows of cdr_1 in \d+ s"):
        await fetched(archive, NOON - 30 * 86_400, NOON)
    assert len(archive.calls) < 20


async def test_the_codes_are_kept_an_hour() -> None:
    archive, clock = Archive(), HandClock()
    async with history_of(archive, clock=clock) as history:
        await history.fetch(NOON, ONE)
        await history.fetch(NOON, ONE)
        assert archive.calls.count("api=activity_codes") == 1
        clock.wall += CODES_KEPT
        await history.fetch(NOON, ONE)
    assert archive.calls.count("api=activity_codes") == 2


@pytest.mark.parametrize("codes", [None, [], {}, [{"cod_act": ""}], [5], "x"])
async def test_without_codes_nothing_is_known_of_any_row(codes: Any) -> None:
    with pytest.raises(NotASnapshot, match="no activity codes"):
        await fetched(Archive(codes=codes, calls=[a_call("1", "2026-01-18 12:15:07")]), NOON, ONE)


async def test_a_server_without_the_report_of_codes_has_no_history() -> None:
    archive = Archive()
    archive.answers["activity_codes"] = Response(404, content=NONE_FOUND)
    with pytest.raises(NotASnapshot, match="no activity codes"):
        await fetched(archive, NOON, ONE)


async def test_codes_in_an_object_are_codes() -> None:
    keyed = {str(number): code for number, code in enumerate(CODES)}
    assert ids(await fetched(Archive(codes=keyed, calls=[a_call("1", "2026-01-18 12:15:07")]), NOON, ONE)) == ["1"]


@pytest.mark.parametrize("report", ["activity_codes", "cdr_1", "chat_1"])
@pytest.mark.parametrize(
    ("status", "msg", "kind"),
    [
        (401, "PLEASE ENTER THE WOLKVOX-TOKEN", BadToken),
        (403, f"TOKEN LIMIT EXCEEDED {TELEPHONE} {TOKEN}", QuotaSpent),
        (403, "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)", SlowDown),
        (503, "", Retry),
    ],
)
async def test_each_refusal_has_the_name_that_it_has_for_the_live_report(
    report: str, status: int, msg: str, kind: type[PollFailed]
) -> None:
    archive = Archive()
    archive.answers[report] = Response(status, content=envelope(code=status, msg=msg, data=None))
    with pytest.raises(PollFailed) as caught:
        await fetched(archive, NOON, ONE)
    assert type(caught.value) is kind
    check_tells_nothing(caught.value)


async def test_a_success_that_contradicts_itself_is_not_believed_to_be_a_quiet_hour() -> None:
    archive = Archive()
    archive.answers["cdr_1"] = Response(200, content=envelope(error="SQLSTATE[HY000]", data=None))
    with pytest.raises(NotASnapshot, match="contradicts itself"):
        await fetched(archive, NOON, ONE)


async def test_each_call_has_its_turn_and_lets_it_go() -> None:
    archive, made = Archive(), list[int]()

    @asynccontextmanager
    async def turn() -> AsyncIterator[None]:
        made.append(len(archive.calls))
        yield
        made.append(len(archive.calls))

    async with history_of(archive, turn=turn) as history:
        await history.fetch(NOON, ONE)
    assert made == [0, 1, 1, 2, 2, 3]


# In New York the clock of 2026-11-01 went from 02:00 back to 01:00: 05:30Z and 06:30Z both read 01:30.
FIRST, SECOND = at("2026-11-01 01:30:00", NEW_YORK), at("2026-11-01 01:30:00", NEW_YORK, fold=1)


@pytest.mark.parametrize(
    ("begin", "end", "occurred"),
    [
        (FIRST - 600, FIRST + 600, "2026-11-01T01:30:00-04:00"),
        (SECOND - 600, SECOND + 600, "2026-11-01T01:30:00-05:00"),
    ],
)
async def test_in_the_hour_that_came_twice_the_reading_within_the_range_counts(
    begin: float, end: float, occurred: str
) -> None:
    clock = HandClock()
    clock.wall = SECOND + 86_400
    archive = Archive(calls=[a_call("1", "2026-11-01 01:30:00")])
    found = read(await fetched(archive, begin, end, zone=NEW_YORK, clock=clock), NEW_YORK)
    assert found["1"]["occurred_at"] == occurred


async def test_a_range_over_a_clock_that_is_set_back_is_asked_for_whole() -> None:
    # From 01:50 before to 01:10 after: the end reads less than the beginning.
    clock = HandClock()
    clock.wall = SECOND + 86_400
    archive = Archive(calls=[a_call("1", "2026-11-01 01:55:00"), a_call("2", "2026-11-01 01:05:00")])
    begin = at("2026-11-01 01:50:00", NEW_YORK)
    found = read(await fetched(archive, begin, begin + 1200, zone=NEW_YORK, clock=clock), NEW_YORK)
    assert {key: hit["occurred_at"] for key, hit in found.items()} == {
        "1": "2026-11-01T01:55:00-04:00",
        "2": "2026-11-01T01:05:00-05:00",
    }


async def test_a_clock_that_is_set_forward_leaves_nothing_out() -> None:
    clock = HandClock()
    clock.wall = at("2026-03-09 12:00:00", NEW_YORK)
    calls = [a_call("1", "2026-03-08 01:59:00"), a_call("2", "2026-03-08 03:01:00")]
    begin = at("2026-03-08 01:50:00", NEW_YORK)
    found = read(await fetched(Archive(calls=calls), begin, begin + 1200, zone=NEW_YORK, clock=clock), NEW_YORK)
    assert set(found) == {"1", "2"}


async def test_a_row_with_a_date_that_is_none_is_among_them_as_it_was_sent() -> None:
    archive = Archive()
    rows = [a_call("1", "yesterday"), a_call("2", "") | {"date": None}]
    archive.answers["cdr_1"] = Response(200, content=envelope(data=rows))
    snapshot = await fetched(archive, NOON, ONE)
    assert [row["date"] for row in snapshot.rows] == ["yesterday", None]
