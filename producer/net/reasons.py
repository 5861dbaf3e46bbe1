"""Why a call brought no answer, in our words: those of httpx and h11 may quote the request's headers, with a secret."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator


def why(error: BaseException, *, cafile: str) -> str:
    """Why there was no connection; `cafile` is the setting that can name an authority."""
    reason = "it failed"
    for link in chain(error):
        if isinstance(link, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({link.verify_message}); {cafile} can name its authority"
        if isinstance(link, ssl.SSLError):
            return f"TLS failed ({getattr(link, 'reason', None) or 'no reason given'})"  # one made by hand lacks it
        if isinstance(link, socket.gaierror):
            return f"its name is not known ({link.strerror})"
        if isinstance(link, OSError) and link.errno:
            reason = os.strerror(link.errno)  # the system's own words; asyncio's repeat the address
    return reason


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what is behind it, one after the other."""
    while error is not None:
        yield error
        # A group has one for each address that was tried.
        within = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else None
        error = within or error.__cause__ or error.__context__
