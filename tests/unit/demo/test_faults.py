"""Every fault produces what its line of description says, seen by a real client; and plans say when."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from producer.commands.cli import app
from producer.demo.simulator import Simulator
from producer.demo.simulator.faults import FAULTS, FaultPlan, FaultSwitch
from producer.demo.simulator.faults_wire import BOMB_BYTES, BYTE_ORDER_MARK, NOTICE
from producer.demo.simulator.odd_rows import odd_rows
from producer.model import RECORD_CAP
from tests.unit.demo.simulated_time import MovedClock

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = "/api/v2/real_time.php?api=hits_last_hour"


@dataclass(frozen=True)
class Table:
    """One simulator for all faults: each test moves its clock by a window, so that every row is new."""

    simulator: Simulator
    client: httpx.AsyncClient
    clock: MovedClock

    async def get(self, fault: str, **options: Any) -> httpx.Response:
        self.next_window()
        self.simulator.fault = fault
        return await self.client.get(PATH, **options)

    def next_window(self) -> None:
        self.clock.move(100)
        self.simulator.sources["0042"].audit.shown.clear()

    @property
    def truth(self) -> list[dict[str, str]]:
        return self.simulator.sources["0042"].centre.rows(self.clock.wall)

    @property
    def ids(self) -> set[str]:
        return {row["conn_id"] for row in self.truth}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def table() -> AsyncIterator[Table]:
    clock = MovedClock()
    async with Simulator(rate=0.2, window=100, late=0, clock=clock) as simulator:
        headers = {"wolkvox-token": simulator.token}
        async with httpx.AsyncClient(base_url=simulator.url, headers=headers, timeout=10) as client:
            yield Table(simulator, client, clock)


REFUSALS = {
    "unauthorized": (401, "PLEASE ENTER THE WOLKVOX-TOKEN"),
    "bad-token": (403, "Please validate token"),
    "simultaneous": (403, "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)"),
    "maintenance": (403, "OPERATION IN MAINTENANCE"),
    "backup": (403, "A backup of the operation is in progress"),
    "maintenance-es": (403, "OPERACIÓN EN MANTENIMIENTO"),
    "simultaneous-es": (403, "EXCEDE EL LÍMITE DE PETICIONES SIMULTÁNEAS"),
    "bad-token-es": (403, "Token no válido"),
    "refused": (403, "THIS OPERATION IS SUSPENDED"),
    "quota": (403, "Token limit exceeded"),
    "http-400": (400, "THE API DOES NOT EXIST"),
    "404-empty": (404, "Validate dates entered"),
}


@pytest.mark.parametrize("fault", REFUSALS)
async def test_a_refusal_comes_in_the_envelope_of_the_api(table: Table, fault: str) -> None:
    answer = await table.get(fault)

    assert (answer.status_code, answer.json()["code"], answer.json()["msg"]) == (
        REFUSALS[fault][0],
        *REFUSALS[fault],
    )
    assert table.simulator.shown == set()


STATUSES = {
    "firewall": 403,
    "http-410": 410,
    "http-500": 500,
    "http-502": 502,
    "http-503": 503,
    "429": 429,
    "404-html": 404,
}


@pytest.mark.parametrize("fault", STATUSES)
async def test_a_status_comes_without_the_envelope(table: Table, fault: str) -> None:
    answer = await table.get(fault)

    assert answer.status_code == STATUSES[fault]
    assert b'"code"' not in answer.content
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("fault", ["quota:30", "429:30", "http-503:30"])
async def test_retry_after_is_sent_when_asked_for(table: Table, fault: str) -> None:
    assert (await table.get(fault)).headers["retry-after"] == "30"


BODIES: dict[str, Callable[[Any], bool]] = {
    "404-in-200": lambda value: value["code"] == 404 and value["msg"] == "Validate dates entered",
    "data-null": lambda value: value["code"] == 200 and value["data"] is None,
    "data-absent": lambda value: value["code"] == 200 and "data" not in value,
    "data-empty-object": lambda value: value["code"] == 200 and value["data"] == {},
    "data-empty-list": lambda value: value["code"] == 200 and value["data"] == [],
    "data-other": lambda value: value["code"] == 200 and value["data"] == {"status": "ok", "total": 0},
    "error-in-success": lambda value: value["data"] is None and value["error"].startswith("SQLSTATE"),
    "count-without-rows": lambda value: value["data"] is None and value["msg"] == "17 records were found",
    "quota-in-200": lambda value: value["code"] == 403 and value["msg"] == "Token limit exceeded",
    "error-in-200": lambda value: value["code"] == 500,
    "gateway-error": lambda value: value.keys() == {"error"},
    "no-route": lambda value: value.keys() == {"message"},
    "json-null": lambda value: value is None,
    "json-text": lambda value: value == "OK",
}


@pytest.mark.parametrize("fault", BODIES)
async def test_a_200_without_rows_says_what_its_name_says_and_shows_nothing(table: Table, fault: str) -> None:
    answer = await table.get(fault)

    assert answer.status_code == 200
    assert BODIES[fault](answer.json())
    assert table.simulator.shown == set()


NO_JSON = {"html": b"<!DOCTYPE html>", "empty-body": b"", "truncated-json": b'{"code":200', "deep-json": b'{"code":200'}


@pytest.mark.parametrize("fault", NO_JSON)
async def test_a_200_that_is_no_json_can_not_be_parsed(table: Table, fault: str) -> None:
    answer = await table.get(fault)

    assert answer.status_code == 200
    assert answer.content.startswith(NO_JSON[fault])
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(answer.content)
    assert table.simulator.shown == set()


@pytest.mark.parametrize("fault", ["timeout", "stall"])
async def test_a_hanging_answer_ends_by_the_patience_of_the_client(table: Table, fault: str) -> None:
    with pytest.raises(httpx.ReadTimeout):
        await table.get(fault, timeout=0.2)
    assert table.simulator.shown == set()


async def test_a_stalled_answer_brings_half_of_its_body(table: Table) -> None:
    table.simulator.fault = "stall"
    async with table.client.stream("GET", PATH, headers={"accept-encoding": "identity"}) as answer:
        half = int(answer.headers["content-length"]) // 2
        assert len(await anext(answer.aiter_raw(half))) == half


async def test_a_drip_brings_everything_byte_by_byte(table: Table) -> None:
    table.next_window()
    table.simulator.fault = "drip:0.0001"
    async with table.client.stream("GET", PATH) as answer:  # gzip leaves fewer bytes to wait for
        pieces = [piece async for piece in answer.aiter_raw()]

    assert len(pieces) > 100
    assert orjson.loads(gzip.decompress(b"".join(pieces)))["data"] == table.truth
    assert table.simulator.shown == table.ids


async def test_a_slow_answer_takes_its_seconds_and_is_whole(table: Table) -> None:
    answer = await table.get("slow:0.1")

    assert answer.elapsed.total_seconds() >= 0.1
    assert answer.json()["data"] == table.truth
    assert table.simulator.shown == table.ids


async def test_a_reset_is_an_error_of_the_connection(table: Table) -> None:
    with pytest.raises(httpx.ReadError):
        await table.get("reset")
    assert table.simulator.shown == set()


async def test_a_cut_connection_leaves_the_body_incomplete(table: Table) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        await table.get("cut")
    assert table.simulator.shown == set()


@pytest.mark.parametrize(("fault", "before"), [("dirt", NOTICE), ("byte-order-marks", b"\r\n" + 2 * BYTE_ORDER_MARK)])
async def test_dirt_stands_around_a_good_answer(table: Table, fault: str, before: bytes) -> None:
    answer = await table.get(fault)

    assert answer.content.startswith(before)
    assert answer.content.count(b'"code"') == 1
    begin, end = answer.content.index(b'{"code"'), answer.content.rindex(b"]}") + 2
    assert orjson.loads(answer.content[begin:end])["data"] == table.truth
    assert table.simulator.shown == table.ids


async def test_two_envelopes_are_two_good_answers_and_nobody_can_tell_which_counts(table: Table) -> None:
    first, second = (await table.get("two-envelopes")).content.split(NOTICE)

    assert first == second
    assert orjson.loads(first)["data"] == table.truth
    assert table.simulator.shown == set()


async def test_a_charset_that_is_not_utf_8_is_named(table: Table) -> None:
    assert (await table.get("latin-1")).headers["content-type"].endswith("charset=ISO-8859-1")


async def test_deflate_is_a_good_answer(table: Table) -> None:
    answer = await table.get("deflate")

    assert answer.headers["content-encoding"] == "deflate"
    assert answer.json()["data"] == table.truth
    assert table.simulator.shown == table.ids


async def test_zero_bytes_stand_behind_the_gzip(table: Table) -> None:
    table.next_window()
    table.simulator.fault = "padded-gzip"
    async with table.client.stream("GET", PATH) as answer:
        packed = b"".join([piece async for piece in answer.aiter_raw()])

    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert orjson.loads(unpacker.decompress(packed))["data"] == table.truth
    assert unpacker.unused_data == bytes(4)
    assert table.simulator.shown == table.ids


async def test_a_charset_stands_where_an_encoding_should(table: Table) -> None:
    answer = await table.get("charset-as-encoding")

    assert answer.headers["content-encoding"] == "UTF-8"
    assert answer.json()["data"] == table.truth
    assert table.simulator.shown == table.ids


@pytest.mark.parametrize(
    ("fault", "says"), [("odd-header", "illegal header line"), ("chunked-twice", "multiple Transfer-Encoding")]
)
async def test_a_head_that_breaks_http_can_not_be_read(table: Table, fault: str, says: str) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match=says):
        await table.get(fault)
    assert table.simulator.shown == set()


async def test_an_encoding_that_lies_can_not_be_unpacked(table: Table) -> None:
    with pytest.raises(httpx.DecodingError):
        await table.get("broken-gzip")
    assert table.simulator.shown == set()


async def test_another_encoding_is_named_and_shows_nothing(table: Table) -> None:
    assert (await table.get("other-encoding")).headers["content-encoding"] == "br"
    assert table.simulator.shown == set()


async def test_the_zip_bomb_is_small_on_the_wire_and_sound_and_too_big_unpacked(table: Table) -> None:
    table.simulator.fault = "zip-bomb"
    async with table.client.stream("GET", PATH) as answer:
        packed = b"".join([piece async for piece in answer.aiter_raw()])

    assert len(packed) < 400_000
    unpacker, size = zlib.decompressobj(16 + zlib.MAX_WBITS), 0
    while not unpacker.eof:
        size += len(unpacker.decompress(packed, 2**24))
        packed = unpacker.unconsumed_tail
    assert size > BOMB_BYTES > 256 * 10**6


async def test_a_redirect_on_the_same_host_leads_to_the_report(table: Table) -> None:
    answer = await table.get("redirect-same", follow_redirects=True)

    assert [step.status_code for step in answer.history] == [302]
    assert answer.url.host == answer.history[0].url.host
    assert answer.json()["data"] == table.truth
    assert table.simulator.shown == table.ids


async def test_a_redirect_away_leads_to_another_host_name_and_a_token_that_follows_is_counted(table: Table) -> None:
    await table.get("redirect-away")
    assert table.simulator.api.strayed == 0

    await table.get("redirect-away", follow_redirects=True)
    assert (table.simulator.api.strayed, table.simulator.api.leaked) == (1, 1)


async def test_a_cached_answer_says_how_old_it_is(table: Table) -> None:
    answer = await table.get("cached:60")

    assert answer.headers["age"] == "60"
    assert answer.json()["data"] == table.truth
    assert table.simulator.shown == table.ids


async def test_a_frozen_report_stays_as_it_was_until_it_is_let_go(table: Table) -> None:
    before = (await table.get("frozen")).json()
    assert before["data"] == table.truth
    assert (await table.get("frozen")).json() == before
    assert (await table.get("cached")).json()["data"] == table.truth != before["data"]


async def test_the_skewed_clock_shows_in_the_date_header(table: Table) -> None:
    answer = await table.get("clock-skew:100")

    assert parsedate_to_datetime(answer.headers["date"]).timestamp() == table.clock.wall + 100
    assert answer.json()["data"] == table.truth
    assert table.simulator.shown == table.ids


async def test_the_code_is_a_string(table: Table) -> None:
    answer = await table.get("code-string")
    found = f"{len(table.truth)} records were found"

    assert answer.json() == {"code": "200", "error": None, "msg": found, "data": table.truth}
    assert table.simulator.shown == table.ids


async def test_the_list_stands_at_the_top(table: Table) -> None:
    assert (await table.get("top-level-list")).json() == table.truth
    assert table.simulator.shown == table.ids


async def test_data_is_one_row_and_only_that_one_was_shown(table: Table) -> None:
    assert (await table.get("data-object")).json()["data"] == table.truth[0]
    assert table.simulator.shown == {table.truth[0]["conn_id"]}


PLACES: dict[str, Callable[[Any, list[Any]], bool]] = {
    "rows-numbered": lambda data, rows: data == {str(at): row for at, row in enumerate(rows)} | {"total": len(rows)},
    "rows-by-id": lambda data, rows: data == {row["conn_id"]: row for row in rows} | {"count": str(len(rows))},
    "rows-nested": lambda data, rows: data == {"page": {"number": 1}, "rows": rows, "total": len(rows)},
    "error-beside-rows": lambda data, rows: data == rows,
}


@pytest.mark.parametrize("fault", PLACES)
async def test_the_rows_stand_in_another_place_or_beside_an_error(table: Table, fault: str) -> None:
    answer = await table.get(fault)

    assert PLACES[fault](answer.json()["data"], table.truth)
    assert (answer.json()["error"] is None) == (fault != "error-beside-rows")
    assert table.simulator.shown == table.ids


async def test_numbers_are_json_numbers_and_their_digits_are_the_ids_that_were_shown(table: Table) -> None:
    answer = await table.get("numbers")
    while not any(row["conn_id"].isdigit() for row in table.truth):  # a chat's: not every window has one
        answer = await table.get("numbers")
    rows = orjson.loads(answer.content.replace(b".10,", b".5,"))["data"]

    assert [row["telephone"] for row in rows[4:]] == [int(row["telephone"]) for row in table.truth]
    assert any(isinstance(row["conn_id"], int) for row in rows[4:])
    assert set(map(type, rows[3].values())) == {int}
    extra = table.simulator.shown - table.ids
    assert len(extra) == 4
    assert all(f'"conn_id":{digits},'.encode() in answer.content for digits in extra)
    assert any(digits.endswith(".10") for digits in extra)
    assert any(len(digits) == 21 for digits in extra)


ONE_MORE_ROW = {
    "total-line": (b'"TOTAL"', 0),
    "extra-fields": (b'"skills":[1,2]', 1),
    "nan": (b":NaN,", 1),
    "lone-surrogate": (rb"\ud83d", 0),
    "broken-bytes": (b"\xd3N", 1),
    "latin-1": (b"\xd3N", 1),
    "huge-row": (b"X" * 2_000_000, 0),
    "exponent-ids": (b'"conn_id":1.7687828e+18,', 0),
    "odd-dates": (b'.250"', 7),
}


@pytest.mark.parametrize("fault", ONE_MORE_ROW)
async def test_odd_rows_stand_before_their_sound_neighbours(table: Table, fault: str) -> None:
    answer = await table.get(fault)
    mark, events = ONE_MORE_ROW[fault]

    assert mark in answer.content
    assert answer.content.endswith(orjson.dumps(table.truth)[1:] + b"}")
    assert len(table.simulator.shown - table.ids) == events


async def test_the_odd_rows_are_all_there_and_only_those_with_an_event_count_as_shown(table: Table) -> None:
    answer = await table.get("odd-rows")
    odd = odd_rows(table.clock.wall)

    assert all(row.encoded in answer.content for row in odd)
    assert table.simulator.shown - table.ids == {row.conn_id for row in odd if row.outcome == "event"}
    assert {row.outcome for row in odd} == {"event", "dead", "repeated", "summary"}
    assert len({row.name for row in odd}) == len(odd) > 30


async def test_each_row_comes_twice(table: Table) -> None:
    assert (await table.get("duplicate-rows")).json()["data"] == [*table.truth, *table.truth]
    assert table.simulator.shown == table.ids


async def test_the_cap_is_reached_exactly_and_holds_the_true_rows_too(table: Table) -> None:
    rows = (await table.get("cap", timeout=30)).json()["data"]

    assert len(rows) == RECORD_CAP
    assert table.simulator.shown == {row["conn_id"] for row in rows} > table.ids
    assert len(table.simulator.shown) == RECORD_CAP


OTHERS = {
    *("timeout", "stall", "drip", "slow", "reset", "cut", "deflate", "broken-gzip", "other-encoding", "zip-bomb"),
    *("dirt", "byte-order-marks", "two-envelopes", "padded-gzip", "charset-as-encoding", "odd-header", "chunked-twice"),
    *(
        "redirect-same",
        "redirect-away",
        "clock-skew",
        "cached",
        "frozen",
        "code-string",
        "top-level-list",
        "data-object",
        "numbers",
    ),
    *("odd-rows", "duplicate-rows", "cap"),
}


async def test_no_fault_is_without_its_test() -> None:
    of_the_report = {name for name, fault in FAULTS.items() if not fault.only_history}  # others: test_historical.py
    assert {*REFUSALS, *STATUSES, *BODIES, *NO_JSON, *ONE_MORE_ROW, *PLACES, *OTHERS} == of_the_report


async def test_the_help_names_each_fault_on_a_line_of_its_own() -> None:
    printed = CliRunner().invoke(app, ["simulate", "--fault", "list"]).stdout.splitlines()

    assert [line.split()[0] for line in printed] == sorted(FAULTS)
    assert all(len(line.split(maxsplit=1)[1]) > 5 for line in printed)


async def test_a_fault_of_the_rows_leaves_other_calls_alone_and_a_refusal_does_not(table: Table) -> None:
    info = "/api/v2/information.php?api=token_info"
    table.simulator.fault = "odd-rows"
    assert (await table.client.get(info)).json()["data"][0]["description"] == "simulated"
    table.simulator.fault = "quota"
    assert (await table.client.get(info)).status_code == 403


@pytest.mark.parametrize(
    ("second", "fault"),
    [(0, None), (9.9, None), (10, "html"), (19.9, "html"), (20, None), (95, "slow:20"), (1e9, "cut")],
)
async def test_a_plan_says_which_fault_is_on_when(second: float, fault: str | None) -> None:
    active = FaultPlan.parse("html@10s-20s, slow:20@1.5m-2m, cut@2m-").at(second)

    assert (active and str(active)) == fault


@pytest.mark.parametrize("plan", ["html@0-10s", "html@0s-10s", "html@-10s"])
async def test_a_plan_may_begin_at_once(plan: str) -> None:
    assert str(FaultPlan.parse(plan).at(0)) == "html"


async def test_a_bare_name_is_a_plan_for_ever() -> None:
    active = FaultPlan.parse("html").at(0)

    assert active is not None
    assert active.fault is FAULTS["html"]


@pytest.mark.parametrize(
    ("plan", "complaint"),
    [
        ("htlm", "did you mean 'html'"),
        ("html@10s", "from and to"),
        ("html@20s-10s", "ends before it starts"),
        ("html@soon-later", "not a duration"),
        ("html:5", "takes no argument"),
    ],
)
async def test_a_wrong_plan_says_what_is_wrong(plan: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        FaultPlan.parse(plan)


async def test_a_switched_fault_goes_before_the_plan_until_its_time_is_over() -> None:
    switch = FaultSwitch(FaultPlan.parse("html"), started=1000)

    switch.switch("quota", until=1010)
    assert [str(switch.at(now)) for now in (1009, 1010)] == ["quota", "html"]
    switch.switch(None)
    assert switch.at(1011) is None
