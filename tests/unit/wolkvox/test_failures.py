from __future__ import annotations

import errno
import ssl

import httpx
import pytest

from producer.errors import PollFailed, Refused, Retry
from producer.wolkvox.failures import failure


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
