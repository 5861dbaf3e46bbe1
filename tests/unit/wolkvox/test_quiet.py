"""Answers without rows: a quiet hour, or a failure that calls itself a success and must not hide a gap."""

from __future__ import annotations

from typing import Any

import pytest

from producer.errors import NotASnapshot
from tests.unit.wolkvox.calls import ROW, envelope, failing, fetched
from tests.unit.wolkvox.raw_server import answering, http

CONTRADICTIONS: list[dict[str, Any]] = [
    {"error": "SQLSTATE[HY000] [2002] Connection refused"},
    {"error": "SQLSTATE[HY000] [2002] Connection refused", "data": []},
    {"error": "SQLSTATE[HY000] [2002] Connection refused", "data": {}},
    {"error": {"code": 2002}},
    {"error": ["Connection refused"]},
    {"error": True},
    {"error": 2002},
    {"error": "nullable"},
    {"error": {"code": 0, "message": "gone away"}},
    {"errors": ["SQLSTATE[HY000]"]},
    {"exception": "PDOException"},
    {"msg": "SQLSTATE[HY000]: General error: 2006 MySQL server has gone away"},
    {"msg": "Error al consultar la base de datos"},
    {"msg": "ERROR"},
    {"msg": "No se pudo conectar"},
    {"msg": "Too many connections"},
    {"msg": "No hay conexión"},
    {"msg": "Operaci&oacute;n en MANTENIMIENTO"},
    {"msg": "TOKEN LIMIT EXCEEDED"},
    {"msg": "Límite excedido"},
    {"msg": "Request timed out"},
    {"success": False},
    {"success": "false"},
    {"ok": False},
    {"status": "Error"},
    {"msg": "1 records were found"},
    {"msg": " 60 records were found"},
    {"msg": "1,204 Records Were Found", "data": []},
    {"msg": "1,000 records were found"},
    {"msg": "Se encontraron 5 registros"},
    {"msg": "5 registros encontrados"},
    {"msg": "records found: 7"},
    {"msg": "12 hits in the last 60 minutes"},
]
NOTHING: tuple[Any, ...] = (
    *(None, "", " ", "null", "NULL", " null ", False, 0, [], {}),
    *("None", "false", "0", "NO", "ok", "undefined", [None], {"code": 0, "message": ""}),
)
QUIET: list[dict[str, Any]] = [
    *({"error": nothing} for nothing in NOTHING),
    *(
        {"msg": msg}
        for msg in (
            "0 records were found",
            "No connections were found",
            "Sin conexiones en la última hora",
            " 0 records were found",
            "x records were found",
            "0 records were found in the last 60 minutes",
            "No records were found between 20260118190000 and 20260118200000",
            "Se encontraron 0 registros",
            "records found: 0",
            "Success, without errors",
            "Consulta sin errores",
            "0 errors",
            "OK",
            "",
            None,
            5,
        )
    ),
    *({"success": said} for said in (True, "true", None, 1)),
    {"status": "success", "errors": [], "exception": None},
]


@pytest.mark.parametrize("fields", CONTRADICTIONS)
@pytest.mark.parametrize("code", ["200", 200])
async def test_a_success_without_rows_that_contradicts_itself_is_no_snapshot(
    code: object, fields: dict[str, Any]
) -> None:
    body = envelope(**({"code": code, "msg": "", "data": None} | fields))
    async with answering(http(body)) as server:
        error = await failing(server.url)
    assert type(error) is NotASnapshot
    assert "contradicts itself" in str(error)


async def test_a_contradiction_is_told_in_the_apis_own_words_without_what_is_secret() -> None:
    body = envelope(data=None, msg="", error="SQLSTATE[HY000] for 573001234567")
    async with answering(http(body)) as server:
        error = await failing(server.url)
    assert str(error).endswith("SQLSTATE[HY000] for ***")


@pytest.mark.parametrize("fields", QUIET)
@pytest.mark.parametrize("data", [None, [], {}])
async def test_a_success_without_rows_that_says_so_is_a_quiet_hour(data: object, fields: dict[str, Any]) -> None:
    async with answering(http(envelope(**({"msg": "", "data": data} | fields)))) as server:
        snapshot = await fetched(server.url)
    assert (snapshot.rows, snapshot.drift) == ([], {})


@pytest.mark.parametrize(
    "notice",
    [
        b"<br />\n<b>Warning</b>:  mysqli_connect(): (HY000/2002): Connection refused in <b>/a.php</b><br />\n",
        b"<br />\n<b>Fatal error</b>:  Uncaught PDOException in /var/www/api.php:3<br />\n",
        "Excepción: tiempo de espera agotado\n".encode(),
    ],
)
async def test_a_notice_of_a_failure_around_no_rows_is_a_contradiction(notice: bytes) -> None:
    nothing = envelope(msg="", data=None)
    async with answering(*(http(body) for body in (notice + nothing, nothing + notice, notice + envelope()))) as server:
        for _ in range(2):
            error = await failing(server.url)
            assert (type(error), "contradicts itself" in str(error)) == (NotASnapshot, True)
        assert (await fetched(server.url)).rows == [ROW]


@pytest.mark.parametrize(
    "notice",
    [
        b"\xef\xbb\xbf\r\n",
        b"<br />\n<b>Notice</b>:  Undefined index: hit in <b>/var/www/mysql/database.php</b> on line <b>3</b><br />\n",
        b"<br />\n<b>Deprecated</b>: x<br />\n",
    ],
)
async def test_other_dirt_around_no_rows_is_a_quiet_hour(notice: bytes) -> None:
    async with answering(http(notice + envelope(msg="", data=[]))) as server:
        snapshot = await fetched(server.url)
    assert (snapshot.rows, snapshot.drift) == ([], {"dirt": 1})


async def test_a_code_of_nought_beside_rows_is_none() -> None:
    """One of the vendor's own examples has it; without rows it says nothing that could be believed."""
    async with answering(http(envelope(code="0")), http(envelope(code="0", data=[]))) as server:
        assert (await fetched(server.url)).drift == {"no_code": 1}
        assert type(await failing(server.url)) is NotASnapshot


async def test_no_error_is_none_to_the_tolerant_parser_too() -> None:
    async with answering(http(b'{"code":200,"error":0,"msg":NaN,"data":[]}')) as server:
        assert (await fetched(server.url)).rows == []


async def test_rows_beside_an_error_count_and_the_error_is_drift() -> None:
    async with answering(http(envelope(error="SQLSTATE[HY000]"))) as server:
        snapshot = await fetched(server.url)
    assert (snapshot.rows, snapshot.drift) == ([ROW], {"contradiction": 1})


async def test_not_found_may_say_so_as_an_error_but_may_not_count_rows() -> None:
    fine = envelope(code="404", error="Not Found", msg="Validate dates entered", data=None)
    odd = envelope(code="404", error="Not Found", msg="3 records were found", data=None)
    async with answering(http(fine), http(odd)) as server:
        assert (await fetched(server.url)).not_found
        assert type(await failing(server.url)) is NotASnapshot
