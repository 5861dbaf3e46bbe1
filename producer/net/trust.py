"""Which certificates are believed, by all connections alike."""

from __future__ import annotations

import ssl
from collections.abc import Hashable
from pathlib import Path


def lenient(context: ssl.SSLContext) -> ssl.SSLContext:
    """The context, believing what Python 3.12 believed.

    Python 3.13 added VERIFY_X509_STRICT to its default, which refuses certificates without an Authority Key
    Identifier (RFC 5280, 4.2.1.1): those of Strimzi and of many a private authority, which every other client takes.
    Who signed is checked all the same, by the signature; the extension only helps to find him.
    """
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def version_of(path: Path | None) -> Hashable:
    """Another value once a file was replaced or written; None without one, or if it can't be looked at."""
    try:
        status = path.stat() if path is not None else None
    except OSError:
        return None
    return status and (status.st_ino, status.st_mtime_ns, status.st_size)


def said(error: OSError) -> str:
    """What the library says, in a few words: "no start line", "key values mismatch", "No such file or directory"."""
    reason = getattr(error, "reason", None)
    return reason.replace("_", " ").lower() if reason else error.strerror or type(error).__name__
