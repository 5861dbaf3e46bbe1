"""What went wrong on the way to the API, named by what the caller must do.

The texts of httpx and h11 are never shown: they may quote the request's headers, token included, or the answer's bytes.
"""

from __future__ import annotations

import zlib

import httpx

from producer.errors import NotASnapshot, PollFailed, Refused, Retry
from producer.net.reasons import chain, why


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
    return Retry(f"no connection to the API: {why(error, cafile='WOLKVOX_SSL_CAFILE')}")


def _unreadable(error: Exception) -> str:
    """Why an answer did not begin: h11 tells a broken head from an end of the connection by the status that fits it."""
    fits = next((hint for link in chain(error) if (hint := getattr(link, "error_status_hint", None))), None)
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
