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
            return Retry("the connection ended before an answer, or what answers does not speak HTTP")
    return Retry(f"no connection to the API: {_reason(error)}")


def _reason(error: Exception) -> str:
    reason = "it failed"
    for link in _chain(error):
        if isinstance(link, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({link.verify_message})"
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
