"""What went wrong on the way to the API, named by what the caller must do.

The texts of httpx and h11 are never shown: they may quote the request's headers, token included, or the answer's bytes.
"""

from __future__ import annotations

import os
import socket
import ssl
import zlib
from collections.abc import Iterator

import httpx

from producer.errors import NotASnapshot, PollFailed, Refused, Retry


def failure(error: Exception) -> PollFailed:
    """The error to raise for one of httpx, zlib or the operating system."""
    match error:
        case zlib.error():
            return NotASnapshot("the answer is no report: its compression is broken or cut off")
        case httpx.InvalidURL() | httpx.UnsupportedProtocol() | httpx.LocalProtocolError():
            return Refused("the call can't be made: check the source's address and token")
        case httpx.ProxyError():
            return Retry("the proxy does not let the call through: check HTTP_PROXY, HTTPS_PROXY and NO_PROXY")
        case httpx.RemoteProtocolError():
            return Retry(_unreadable(error))
    return Retry(f"no connection to the API: {_reason(error)}")


def _unreadable(error: Exception) -> str:
    """Why an answer did not begin: h11 tells a broken head from an end of the connection by the status that fits it."""
    fits = next((hint for link in _chain(error) if (hint := getattr(link, "error_status_hint", None))), None)
    match fits:
        case None:
            return "the connection ended before an answer"
        case 501:
            return "the answer can't be read: its Transfer-Encoding is not `chunked`, once"
        case 431:
            return "the answer can't be read: its headers are longer than any client takes"
    return (
        "the answer can't be read: its head breaks HTTP (no status line, a blank before a header's colon, two lengths)"
        "; a proxy on the way or the API's server writes it so"
    )


def _reason(error: Exception) -> str:
    reason = "it failed"
    for link in _chain(error):
        if isinstance(link, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({link.verify_message}); WOLKVOX_SSL_CAFILE can name its authority"
        if isinstance(link, ssl.SSLError):
            return f"TLS failed ({getattr(link, 'reason', None) or 'no reason given'})"  # one made by hand lacks it
        if isinstance(link, socket.gaierror):
            return f"its name is not known ({link.strerror})"
        if isinstance(link, OSError) and link.errno:
            reason = os.strerror(link.errno)  # the system's own words; asyncio's repeat the address
    return reason


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        # A group has one for each address that was tried.
        within = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else None
        error = within or error.__cause__ or error.__context__
