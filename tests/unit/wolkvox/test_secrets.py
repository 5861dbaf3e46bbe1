"""No canary comes out of a call, whatever goes wrong; `failing` looks at each error and all that is chained to it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable

import pytest

from producer.errors import BadToken, Refused, SettingsError
from tests.unit.wolkvox.calls import ROW, TELEPHONE, TOKEN, envelope, failing
from tests.unit.wolkvox.raw_server import Script, answering, http

ECHO = f"{TOKEN} {TELEPHONE} 1020304050 {json.dumps(ROW)}"


async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{ECHO}".encode())
    await writer.drain()


async def not_http(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(f"{ECHO}\r\n\r\n".encode())
    await writer.drain()


@pytest.mark.parametrize(
    "script",
    [
        hang_up,
        not_http,
        http(ECHO.encode()),
        http(ECHO.encode(), "Content-Encoding: gzip"),
        http(b"", f"Content-Encoding: {TOKEN}"),
        http(b"", f"Location: https://{TOKEN}.example/{TELEPHONE}", status="302 Found"),
        http(b"", f"Retry-After: {ECHO}", status=f"429 {TOKEN}"),
        http(envelope()[:-1]),
        http(b'{"conn_id": "' + ECHO.replace('"', "'").encode() + b'"}'),
        *[
            http(envelope(code=code, msg=ECHO, error=ECHO, data=None))
            for code in (400, 401, 403, 404.5, 500, "x" + TOKEN)
        ],
        *[http(envelope(msg=ECHO), status=f"{code} {TOKEN}") for code in (400, 401, 403, 500)],
    ],
)
async def test_an_answer_that_echoes_secrets_does_not_spread_them(
    script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    for library in ("httpx", "httpcore"):  # as the service has them: at info, httpx quotes the answer's status line
        caplog.set_level(logging.WARNING, library)
    with caplog.at_level(logging.DEBUG):
        async with answering(script) as server:
            await failing(server.url)
    for canary in (TOKEN, TELEPHONE):
        assert canary not in caplog.text


def unreadable() -> str:
    raise PermissionError(13, "Permission denied", f"/run/secrets/{TOKEN}")


def undecodable() -> str:
    return f"{TOKEN}\xff".encode("latin-1").decode()


def unset() -> str:
    raise SettingsError([f"WOLKVOX_TOKEN_FILE: {TOKEN}"])


@pytest.mark.parametrize(
    "token",
    [
        lambda: "",
        lambda: " \n",
        lambda: f"{TOKEN}\r\nx-injected: 1",
        lambda: f"{TOKEN} {TOKEN}",
        lambda: f"{TOKEN}ñ",
        lambda: f"{TOKEN}\x00",
        unreadable,
        undecodable,
        unset,
    ],
)
async def test_a_token_that_can_not_be_sent_is_a_bad_token_and_no_call(token: Callable[[], str]) -> None:
    async with answering(http(envelope())) as server:
        assert type(await failing(server.url, token=token)) is BadToken
    assert server.requests == []


async def test_an_address_that_can_not_be_called_is_refused() -> None:
    assert type(await failing("http://[::1")) is Refused
