"""What of the API's own words may be shown: never the token, a telephone or a customer id."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import unquote

Shown = Callable[[object], str]
"""Turns the API's `msg` into what an error text may hold."""

_LENGTH = 120
_READ = 4_000
_LONGEST_LETTER = 10
"""Characters that an address or a page may take to write one of a token's."""
_DIGITS = re.compile(r"\d(?:(?:[^\w:]|_){0,4}\d){6,}")
"""Seven digits or more, also when written in groups: telephones and ids. Dates are caught too, no matter; no times."""
_OPAQUE = re.compile(r"[A-Za-z0-9_+/=-]{20,}")
"""No word of the API is so long; a token, or a part of one, is."""
_MASK = "***"


def shown(text: object, *, secret: str) -> str:
    """`text` on one line of 120 characters at most, with the token and everything that could be personal masked."""
    if not isinstance(text, str):
        return ""
    words = _without(secret, text[:_READ])
    if len(text) > _READ:
        words = words[: -_LONGEST_LETTER * len(secret)]  # there may be the beginning of a token
    words = _OPAQUE.sub(_MASK, _DIGITS.sub(_MASK, words))
    words = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    return words if len(words) <= _LENGTH else words[: _LENGTH - 1] + "…"


def _without(secret: str, words: str) -> str:
    """The words with the token masked in any casing, also as it stands in an address (`%24`) or a page (`&#36;`)."""
    token = re.compile(re.escape(secret), re.IGNORECASE)
    for read in (str, unquote, unescape, lambda text: unescape(unquote(text))):
        plain = read(words)
        if token.search(plain):
            words = token.sub(_MASK, plain)
    return words
