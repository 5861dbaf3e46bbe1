"""What the API can answer and what follows, row by row, as the bytes on the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from producer.errors import BadToken, NotASnapshot, PollFailed, QuotaSpent, Refused, Retry, SlowDown
from tests.unit.wolkvox.calls import ROW, TELEPHONE, TOKEN, envelope, failing, fetched
from tests.unit.wolkvox.raw_server import answering, http

ROWS = json.dumps([ROW]).encode()


@pytest.mark.parametrize("body", [envelope(), envelope(code=200), envelope(code=200.0), envelope(code=" 200 ")])
async def test_a_list_of_rows_is_a_snapshot(body: bytes) -> None:
    async with answering(http(body)) as server:
        snapshot = await fetched(server.url)
    assert snapshot.rows == [ROW]
    assert (snapshot.server, snapshot.drift, snapshot.not_found, snapshot.truncated) == ("0042", {}, False, False)


@pytest.mark.parametrize(
    "body",
    [
        envelope(msg="0 records were found", data=None),
        envelope(msg="0 records were found", data=[]),
        envelope(msg="0 records were found", data={}),
        b'{"code": "200", "error": null, "msg": ""}',
        b'{"code":200}',
    ],
)
async def test_no_data_is_an_empty_snapshot(body: bytes) -> None:
    async with answering(http(body)) as server:
        snapshot = await fetched(server.url)
    assert (snapshot.rows, snapshot.not_found) == ([], False)


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found"])
@pytest.mark.parametrize("code", ["404", 404])
async def test_the_apis_own_404_is_an_empty_snapshot_and_says_so(status: str, code: object) -> None:
    body = envelope(code=code, error="Not Found", msg="Validate dates entered", data=None)
    async with answering(http(body, status=status)) as server:
        snapshot = await fetched(server.url)
    assert (snapshot.rows, snapshot.not_found) == ([], True)


async def test_rows_with_a_404_still_count() -> None:
    async with answering(http(envelope(code=404), status="404 Not Found")) as server:
        snapshot = await fetched(server.url)
    assert (snapshot.rows, snapshot.not_found) == ([ROW], False)


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found"])
@pytest.mark.parametrize(
    "body",
    [
        b'{"error": "upstream"}',
        b'{"message": "no route"}',
        b'{"code": 404}',
        b'{"data": null}',
        b'{"data": []}',
        b'{"data": [{"error": "x"}]}',
        b'{"conn_id": "6736"}',
        b"{}",
        b"null",
        b'"ok"',
        b"200",
        b'{"code": "ok", "msg": ""}',
        b'{"code": true, "msg": "", "data": null}',
    ],
)
async def test_a_gateways_object_is_not_a_snapshot(status: str, body: bytes) -> None:
    async with answering(http(body, status=status)) as server:
        assert type(await failing(server.url)) is NotASnapshot


async def test_rows_without_a_code_are_rows_and_drift() -> None:
    async with answering(http(json.dumps({"data": [ROW]}).encode())) as server:
        snapshot = await fetched(server.url)
    assert (snapshot.rows, snapshot.drift) == ([ROW], {"no_code": 1})


@pytest.mark.parametrize(
    ("body", "drift"),
    [
        (ROWS, "top_level_list"),
        (envelope(data=ROW), "data_object"),
        (envelope(data={"0": ROW}), "data_object"),
    ],
)
async def test_rows_in_another_place_are_rows_and_drift(body: bytes, drift: str) -> None:
    async with answering(http(body)) as server:
        snapshot = await fetched(server.url)
    assert (snapshot.rows, snapshot.drift) == ([ROW], {drift: 1})


@pytest.mark.parametrize("data", ["none", "", 0, 5.5, True, False])
async def test_data_that_holds_no_rows_is_not_a_snapshot(data: object) -> None:
    async with answering(http(envelope(data=data))) as server:
        assert type(await failing(server.url)) is NotASnapshot


FORBIDDEN = [
    ("TOKEN LIMIT EXCEEDED", QuotaSpent),
    ("Token  limit exceeded.", QuotaSpent),
    ("EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)", SlowDown),
    ("Exceeds the limit of simultaneous requests per token (2)", SlowDown),
    ("PLEASE VALIDATE TOKEN", BadToken),
    ("please validate token", BadToken),
    ("Operation under MAINTENANCE", Retry),
    ("backup of the operation in progress", Retry),
    ("EXCEDE EL LÍMITE DE PETICIONES SIMULTÁNEAS", SlowDown),
    ("Excede el limite de peticiones simultaneas por token (2)", SlowDown),
    ("excede el límite de peticiones simulta\u0301neas", SlowDown),
    ("Demasiadas solicitudes", SlowDown),
    ("TOO MANY REQUESTS", SlowDown),
    ("LÍMITE DE TOKEN EXCEDIDO", QuotaSpent),
    ("Se superó el límite diario de consumos", QuotaSpent),
    ("EL TOKEN HA ALCANZADO SU LIMITE", QuotaSpent),
    ("Cuota diaria agotada", QuotaSpent),
    ("TOKEN NO VÁLIDO", BadToken),
    ("Token no valido", BadToken),
    ("token inválido.", BadToken),
    ("POR FAVOR VALIDE EL TOKEN", BadToken),
    ("El token ha expirado", BadToken),
    ("Invalid token", BadToken),
    ("OPERACIÓN EN MANTENIMIENTO", Retry),
    ("operacion  en\nmantenimiento", Retry),
    ("Copia de seguridad en curso", Retry),
    ("SE ESTÁ REALIZANDO UN RESPALDO", Retry),
    ("Servicio temporalmente no disponible", Retry),
    ("Servicio fuera de línea", Retry),
    ("Try again later", Retry),
    ("Intente de nuevo más tarde", Retry),
    ("El token ya está siendo consumido", SlowDown),
    ("The token is being used by another process", SlowDown),
    ("Request was throttled", SlowDown),
    ("Ya existe una petición simultánea con el token", SlowDown),
    ("Superó el número máximo de consultas por día", QuotaSpent),
    ("Token no existe", BadToken),
    ("Token bloqueado", BadToken),
    ("OPERACIÓN SUSPENDIDA", Refused),
    ("Acceso denegado", Refused),
    ("SIN LÍMITES", Refused),
    ("forbidden", Refused),
    (None, Refused),
    (["please validate token"], Refused),
]


@pytest.mark.parametrize(("msg", "kind"), FORBIDDEN)
@pytest.mark.parametrize("status", ["403 Forbidden", "200 OK"])
async def test_the_words_tell_the_403s_apart(status: str, msg: object, kind: type[PollFailed]) -> None:
    body = envelope(code="403", error="Forbidden", msg=msg, data=None)
    async with answering(http(body, status=status)) as server:
        assert type(await failing(server.url)) is kind


@pytest.mark.parametrize("casing", [str.upper, str.lower, str.title])
@pytest.mark.parametrize(("msg", "kind"), [(msg, kind) for msg, kind in FORBIDDEN if isinstance(msg, str)])
async def test_the_casing_of_the_words_does_not_matter(
    msg: str, kind: type[PollFailed], casing: Callable[[str], str]
) -> None:
    body = envelope(code="403", error="FORBIDDEN", msg=casing(msg), data=None)
    async with answering(http(body, status="403 Forbidden")) as server:
        assert type(await failing(server.url)) is kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html><h1>OPERACI&Oacute;N EN MANTENIMIENTO</h1></html>", Retry),
        ("<html><body>Operación en <b>mantenimiento</b></body></html>".encode(), Retry),
        ("<html><body>Excede el límite de peticiones <i>simultáneas</i></body></html>".encode("latin-1"), SlowDown),
        (b"<html><style>.maintenance{}</style><script>maintenance()</script><h1>403</h1></html>", Refused),
        (b"<!DOCTYPE html><title>Request blocked</title>", Refused),
        (b"<html>Your session token is invalid</html>", Refused),
        (b"PLEASE VALIDATE TOKEN", BadToken),
        (b'"Token limit exceeded"', QuotaSpent),
        (b'{"message": "maintenance"}', Retry),
        (b'{"message": "peticiones simult&aacute;neas"}', SlowDown),
        (b'{"error": "TOKEN NO V\xc1LIDO"}', BadToken),
        ("{'msg': 'OPERACIÓN EN MANTENIMIENTO'}".encode("latin-1"), Retry),
        (b"<br />Warning<br />" + envelope(code="403", msg="TOKEN NO VALIDO", data=None), BadToken),
        (b"", Refused),
        (b"\x00\xff" * 5_000, Refused),
    ],
)
async def test_a_403_without_the_envelope_is_told_apart_by_its_words_too(body: bytes, kind: type[PollFailed]) -> None:
    async with answering(http(body, status="403 Forbidden")) as server:
        assert type(await failing(server.url)) is kind


async def test_the_words_of_an_unknown_page_are_shown() -> None:
    page = (
        b"<html><head><title>Request blocked</title><style>p{}</style></head><body>Incident 12345678901</body></html>"
    )
    async with answering(http(page, status="403 Forbidden")) as server:
        assert str(await failing(server.url)).endswith("(403): Request blocked Incident ***")


@pytest.mark.parametrize("place", ["status", "code"])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (401, BadToken),
        (429, SlowDown),
        (400, Refused),
        (402, Refused),
        (405, Refused),
        (451, Refused),
        (408, Retry),
        (500, Retry),
        (502, Retry),
        (503, Retry),
        (504, Retry),
        (599, Retry),
    ],
)
async def test_an_error_means_the_same_as_status_and_as_code(place: str, code: int, kind: type[PollFailed]) -> None:
    as_status = place == "status"
    body = envelope(code=200 if as_status else code, data=None)
    async with answering(http(body, status=f"{code} Odd" if as_status else "200 OK")) as server:
        error = await failing(server.url)
    assert type(error) is kind
    assert str(code) in str(error)


@pytest.mark.parametrize("code", [0, 1, 100, 204, 302, "00", 404.5])
async def test_a_code_that_means_nothing_is_not_a_snapshot(code: object) -> None:
    async with answering(http(envelope(code=code, data=None))) as server:
        assert type(await failing(server.url)) is NotASnapshot


@pytest.mark.parametrize(
    "status", ["204 No Content", "206 Partial Content", "300 Multiple Choices", "304 Not Modified"]
)
async def test_a_success_that_is_none_is_not_a_snapshot(status: str) -> None:
    async with answering(http(b"", status=status)) as server:
        assert type(await failing(server.url)) is NotASnapshot


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>Welcome</body></html>",
        b"<br />\n<b>Warning</b>: mysqli_connect() in real_time.php",
        envelope()[:-1],
        envelope()[:40],
        b"",
        b"OK",
        b"\x1f\x8b\x08 not announced",
    ],
)
@pytest.mark.parametrize("status", ["200 OK", "404 Not Found"])
async def test_what_is_no_json_is_not_a_snapshot(status: str, body: bytes) -> None:
    async with answering(http(body, status=status)) as server:
        assert type(await failing(server.url)) is NotASnapshot


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("503 Service Unavailable", Retry),
        ("401 Unauthorized", BadToken),
        ("403 Forbidden", Refused),
        ("400 Bad", Refused),
    ],
)
@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b'{"code": 200, "data": []}', b"\xff\xfe"])
async def test_an_error_needs_no_json_to_be_one(status: str, kind: type[PollFailed], body: bytes) -> None:
    async with answering(http(body, status=status)) as server:
        assert type(await failing(server.url)) is kind


async def test_a_body_cut_off_is_not_a_snapshot() -> None:
    async with answering(http(envelope(), "Connection: close", length=10_000)) as server:
        error = await failing(server.url)
    assert type(error) is NotASnapshot
    assert "cut off" in str(error)


async def test_an_error_cut_off_is_still_that_error() -> None:
    cut = http(b"<html>", "Connection: close", "Retry-After: 7", status="503 Unavailable", length=10_000)
    async with answering(cut) as server:
        error = await failing(server.url)
    assert (type(error), error.after) == (Retry, 7)


@pytest.mark.parametrize(
    "raw", [b"", b"HTTP/1.1 ", b"SSH-2.0-OpenSSH_9.6\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]
)
async def test_what_is_no_http_is_tried_again(raw: bytes) -> None:
    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    async with answering(speak) as server:
        assert type(await failing(server.url)) is Retry


async def test_no_connection_is_tried_again_and_says_why() -> None:
    async with answering(b"") as server:
        url = server.url
    error = await failing(url)
    assert type(error) is Retry
    assert str(error) == "no connection to the API: Connection refused"


async def test_an_unknown_host_is_tried_again() -> None:
    error = await failing("http://wolkvox.invalid")
    assert type(error) is Retry
    assert "its name is not known" in str(error)


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        (["Retry-After: 120"], 120),
        (["Retry-After:  0 "], 0),
        (["Retry-After: Mon, 19 Jan 2026 01:15:32 GMT", "Date: Mon, 19 Jan 2026 01:13:32 GMT"], 120),
        (["Retry-After: Mon, 19 Jan 2026 01:00:00 GMT", "Date: Mon, 19 Jan 2026 01:13:32 GMT"], 0),
        (["Retry-After: " + "9" * 400], 9_999_999_999),
        (["Retry-After: -5"], None),
        (["Retry-After: soon"], None),
        (["Retry-After: 1.5"], None),
        (["Retry-After: Mon, 99 Jan 99999 01:00:00 GMT"], None),
        ([], None),
    ],
)
async def test_the_wait_that_the_api_asks_for_is_handed_on(headers: list[str], after: float | None) -> None:
    async with answering(http(b"", *headers, status="429 Too Many")) as server:
        assert (await failing(server.url)).after == after


async def test_a_retry_date_without_date_counts_from_our_clock() -> None:
    async with answering(http(b"", "Retry-After: Mon, 19 Jan 2026 01:30:00 GMT", status="503 Busy")) as server:
        error = await failing(server.url)
    assert error.after is not None
    assert 0 < error.after < 3600


async def test_the_apis_words_are_shown_without_what_is_secret() -> None:
    msg = f"no such customer {TELEPHONE} for token {TOKEN}\n" + "and so on " * 30
    async with answering(http(envelope(code=400, msg=msg, data=None), status="400 Bad Request")) as server:
        error = await failing(server.url)
    assert type(error) is Refused
    assert "no such customer *** for token *** and so on" in str(error)
    assert len(str(error)) < 200


async def test_the_call_is_the_one_of_the_vendors_page() -> None:
    async with answering(http(envelope())) as server:
        await fetched(f"{server.url}/base/")
    head = server.requests[0].decode().lower()
    assert head.startswith("get /base/api/v2/real_time.php?api=hits_last_hour http/1.1\r\n")
    assert f"\r\nwolkvox-token: {TOKEN}\r\n" in head
    assert "\r\nwolkvox_server: 0042\r\n" in head
    assert "\r\naccept-encoding: gzip, deflate\r\n" in head


async def test_a_snapshot_knows_when_its_request_began_and_its_answer_ended() -> None:
    async with answering(http(envelope())) as server:
        snapshot = await fetched(server.url)
    assert snapshot.received.wall - snapshot.requested.wall == 1


async def test_more_rows_than_a_report_can_have_are_not_one() -> None:
    async with answering(http(envelope(data=[1] * 120_001))) as server:
        assert type(await failing(server.url)) is NotASnapshot


async def test_a_full_report_is_taken_and_truncated() -> None:
    async with answering(http(envelope(data=[{"conn_id": str(n)} for n in range(60_000)]))) as server:
        snapshot = await fetched(server.url)
    assert len(snapshot.rows) == 60_000
    assert snapshot.truncated
