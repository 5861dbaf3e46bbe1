"""Which certificates are believed, by brokers' and by the token server's connections alike."""

from __future__ import annotations

import ssl


def lenient(context: ssl.SSLContext) -> ssl.SSLContext:
    """The context, believing what Python 3.12 believed.

    Python 3.13 added VERIFY_X509_STRICT to its default, which refuses certificates without an Authority Key
    Identifier (RFC 5280, 4.2.1.1): those of Strimzi and of many a private authority, which every other client takes.
    Who signed is checked all the same, by the signature; the extension only helps to find him.
    """
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
