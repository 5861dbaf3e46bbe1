"""Where the rows of an answer may stand; and an answer that was not understood is never vouched for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from producer.errors import NotASnapshot
from producer.model import Reason
from producer.wolkvox.rows import identify
from tests.unit.wolkvox.calls import ROW, envelope, failing, fetched
from tests.unit.wolkvox.raw_server import answering, http

R2 = ROW | {"conn_id": "190000001", "hit": "PROMESA DE PAGO"}
WITHOUT_ID = {name: value for name, value in ROW.items() if name != "conn_id"}
COUNT_LINE = {"type_interaction": "TOTAL", "hit": "2"}


def keyed(*rows: dict[str, Any]) -> dict[str, Any]:
    return {row["conn_id"]: row for row in rows}


ROWS_IN_AN_OBJECT: dict[str, Any] = {
    "numbered, a scalar beside": {"0": ROW, "1": R2, "total": 2},
    "numbered, scalars before": {"total": 2, "page": None, "more": False, "0": ROW, "1": R2},
    "a list that lost an entry": {"0": ROW, "2": R2},
    "keyed by id": keyed(ROW, R2),
    "keyed by id, scalars beside": {"count": "2", **keyed(ROW, R2)},
    "named, an object beside that is no row": {"first": ROW, "second": R2, "page": {"number": 1, "of": 1}},
    "one list": {"rows": [ROW, R2]},
    "one list, scalars beside": {"rows": [ROW, R2], "total": 2, "page": {"number": 1}},
    "one list, empty ones beside": {"rows": [ROW, R2], "errors": [], "notes": ["none"]},
    "one list, deeper": {"data": {"result": {"items": [ROW, R2]}}},
    "a list in a list": [[ROW, R2]],
    "each in an object of its own": [{"Hit": ROW}, {"Hit": R2}],
    "each in an object of its own, something beside": [{"0": ROW, "n": 1}, {"0": R2, "n": 2}],
    "an object of rows in an object": {"hits": {"0": ROW, "1": R2}, "total": 2},
}


@pytest.mark.parametrize("place", ROWS_IN_AN_OBJECT)
async def test_rows_are_found_in_the_one_place_where_they_are(place: str) -> None:
    async with answering(http(envelope(data=ROWS_IN_AN_OBJECT[place]))) as server:
        snapshot = await fetched(server.url)
    assert (snapshot.rows, snapshot.drift) == ([ROW, R2], {"data_object": 1})
    assert snapshot.exact is not None
    assert snapshot.exact() == [ROW, R2]


@pytest.mark.parametrize("key", ["rows", "result", "Data"])
@pytest.mark.parametrize("data", [{}, {"data": None}, {"data": []}])
async def test_rows_beside_an_absent_or_empty_data_are_rows(key: str, data: dict[str, Any]) -> None:
    body = json.dumps({"code": "200", "error": None, "msg": "2 records were found", **data, key: [ROW, R2]}).encode()
    async with answering(http(body)) as server:
        snapshot = await fetched(server.url)
    assert (snapshot.rows, snapshot.drift) == ([ROW, R2], {"data_object": 1})


@pytest.mark.parametrize("body", [{"0": ROW, "1": R2}, keyed(ROW, R2), {"data": {"0": ROW, "1": R2}}])
async def test_rows_in_an_object_without_an_envelope_are_rows(body: dict[str, Any]) -> None:
    async with answering(http(json.dumps(body).encode())) as server:
        snapshot = await fetched(server.url)
    assert (snapshot.rows, snapshot.drift) == ([ROW, R2], {"data_object": 1, "no_code": 1})


async def test_numbers_in_an_object_keep_their_digits() -> None:
    body = b'{"code":200,"error":null,"msg":"","data":{"total":2,"0":{"conn_id":6736.10},"1":{"conn_id":6736.1}}}'
    async with answering(http(body)) as server:
        snapshot = await fetched(server.url)
    assert list(identify(snapshot).hits) == ["6736.10", "6736.1"]


@pytest.mark.parametrize(
    "data", [{"0": ROW, "1": WITHOUT_ID}, keyed(ROW) | {"other": WITHOUT_ID}, {"rows": [WITHOUT_ID]}]
)
async def test_a_row_without_an_id_is_a_row_all_the_same(data: dict[str, Any]) -> None:
    async with answering(http(envelope(data=data))) as server:
        snapshot = await fetched(server.url)
    assert snapshot.rows[-1] == WITHOUT_ID
    assert [dead.reason for dead in identify(snapshot).dead.values()] == [Reason.CONN_ID_MISSING]


@pytest.mark.parametrize("key", ["2", "total"])
async def test_a_summary_among_numbered_rows_is_one(key: str) -> None:
    async with answering(http(envelope(data={"0": ROW, "1": R2, key: COUNT_LINE}))) as server:
        found = identify(await fetched(server.url))
    assert (list(found.hits), found.dead, found.summaries) == ([ROW["conn_id"], R2["conn_id"]], {}, 1)


NOTHING_LIKE_A_ROW: dict[str, Any] = {
    "a count": {"total": 0},
    "an error": {"error": "SQLSTATE[HY000]"},
    "a moment": {"date": "20260118201332", "hit": 0},
    "an empty list": {"rows": [], "total": 0},
    "numbered nothing": {"0": {}, "1": {}},
    "numbered others": {"0": {"agent": "x"}, "1": {"agent": "y"}},
    "a list of others": {"campaigns": [{"id": 1}, {"id": 2}]},
    "a list of texts": {"messages": ["no hits"]},
    "a summary alone": COUNT_LINE,
    "two lists of rows": {"inbound": [ROW], "outbound": [R2]},
    "rows and a list of rows": {"0": ROW, "older": [R2]},
    "two objects of rows": {"calls": keyed(ROW), "chats": keyed(R2)},
    "deeper than any answer": json.loads('{"a":' * 50 + json.dumps([ROW]) + "}" * 50),
}


@pytest.mark.parametrize(
    "data", [["x", ROW], [None, ROW], [{"error": "x"}, ROW], [{}, COUNT_LINE], [COUNT_LINE], [{"agent": "x"}], [None]]
)
async def test_the_documented_list_is_one_of_rows_whatever_is_in_it(data: list[Any]) -> None:
    async with answering(http(envelope(data=data))) as server:
        assert (await fetched(server.url)).rows == data


@pytest.mark.parametrize("data", NOTHING_LIKE_A_ROW)
async def test_an_object_that_is_not_understood_is_no_snapshot_and_makes_no_dead_letter(data: str) -> None:
    async with answering(http(envelope(data=NOTHING_LIKE_A_ROW[data], msg=""))) as server:
        assert type(await failing(server.url)) is NotASnapshot
