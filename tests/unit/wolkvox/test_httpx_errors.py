from __future__ import annotations

import asyncio
import errno
import ssl

import httpx
import pytest

from producer.errors import NotASnapshot, PollFailed, Refused, Retry
from producer.wolkvox.httpx_errors import failure
from tests.unit.wolkvox.calls import failing, fetched
from tests.unit.wolkvox.raw_server import answering


def chained(outer: Exception, *causes: BaseException) -> Exception:
    """`outer`, caused by the first of `causes`, which is caused by the second, and so on."""
    link: BaseException = outer
    for cause in causes:
        link.__cause__ = cause
        link = cause
    return outer


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (chained(httpx.ConnectError("x"), OSError("all failed"), untrusted()), Retry, "self-signed certificate"),
        (chained(httpx.ConnectError("x"), ssl.SSLError(1, "wrong")), Retry, "TLS failed"),
        (chained(httpx.ReadError("x"), ConnectionResetError(errno.ECONNRESET, "x")), Retry, "reset by peer"),
        (
            chained(httpx.ConnectError("x"), ExceptionGroup("x", [OSError(errno.EHOSTUNREACH, "x")])),
            Retry,
            "No route to host",
        ),
        (httpx.ReadTimeout("x"), Retry, "it failed"),
        (httpx.ProxyError("407 secret"), Retry, "HTTPS_PROXY"),
        (httpx.LocalProtocolError("Illegal header value b'secret'"), Refused, "address and token"),
        (httpx.InvalidURL("secret"), Refused, "address and token"),
    ],
)
def test_what_failed_is_named_without_the_librarys_words(error: Exception, kind: type[PollFailed], says: str) -> None:
    named = failure(error)
    assert type(named) is kind
    assert says in str(named)
    assert "secret" not in str(named)


BODY = b'{"code":200,"data":[]}'
SIZE = b"Content-Length: 22"
CHUNKED = b"Transfer-Encoding: chunked"


def head(*lines: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"", b""])


ODD_HEADS = {
    "a blank before a colon": (head(b"X-Powered-By : PHP/5.4", SIZE) + BODY, "its head breaks HTTP"),
    "a line without a colon": (head(b"No header at all", SIZE) + BODY, "its head breaks HTTP"),
    "a header without a name": (head(b": x", SIZE) + BODY, "its head breaks HTTP"),
    "an accent in a name": (head(b"X-\xd1: x", SIZE) + BODY, "its head breaks HTTP"),
    "a zero byte": (head(b"X: a\x00b", SIZE) + BODY, "its head breaks HTTP"),
    "a continuation of nothing": (head(b" folded", SIZE) + BODY, "its head breaks HTTP"),
    "two lengths": (head(SIZE, b"Content-Length: 23") + BODY, "its head breaks HTTP"),
    "a length that is none": (head(b"Content-Length: x") + BODY, "its head breaks HTTP"),
    "another protocol": (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "its head breaks HTTP"),
    "a page without a head": (b"<html></html>\r\n\r\n", "its head breaks HTTP"),
    "chunked twice": (head(CHUNKED, CHUNKED) + b"0\r\n\r\n", "its Transfer-Encoding"),
    "chunked and chunked": (head(CHUNKED + b", chunked") + b"0\r\n\r\n", "its Transfer-Encoding"),
    "gzip on the way": (head(b"Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n", "its Transfer-Encoding"),
    "identity": (head(b"Transfer-Encoding: identity", SIZE) + BODY, "its Transfer-Encoding"),
    "a header of 200 kB": (head(b"X: " + b"a" * 200_000, SIZE) + BODY, "its headers are longer"),
    "nothing": (b"", "the connection ended before"),
    "half a head": (b"HTTP/1.1 200 OK\r\nConte", "the connection ended before"),
}


@pytest.mark.parametrize("odd", ODD_HEADS)
async def test_a_head_that_breaks_http_is_no_fault_of_the_network(odd: str) -> None:
    raw, says = ODD_HEADS[odd]

    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    async with answering(speak) as server:
        error = await failing(server.url)
    assert type(error) is Retry
    assert says in str(error)
    assert ("connection" in str(error)) == (says == "the connection ended before")
    assert "PHP" not in str(error)


@pytest.mark.parametrize(
    "raw",
    [
        head(b"X-Operaci: Operaci\xf3n", SIZE) + BODY,
        head(SIZE, SIZE) + BODY,
        head(CHUNKED, b"Content-Length: 5") + b"16\r\n" + BODY + b"\r\n0\r\n\r\n",
        head(SIZE).replace(b"\r\n", b"\n") + BODY,
        head(SIZE).replace(b"200 OK", b"200") + BODY,
        head(b"Connection: close") + BODY,
    ],
)
async def test_what_http_clients_forgive_is_forgiven(raw: bytes) -> None:
    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    async with answering(speak) as server:
        assert (await fetched(server.url)).rows == []


@pytest.mark.parametrize("body", [b"zz\r\n" + BODY, b"99\r\n" + BODY])
async def test_a_body_in_broken_chunks_is_not_a_snapshot(body: bytes) -> None:
    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head(CHUNKED) + body)
        await writer.drain()

    async with answering(speak) as server:
        error = await failing(server.url)
    assert type(error) is NotASnapshot
    assert "cut off, or in chunks that are none" in str(error)
