"""What of the API's own words may be shown: never the token, a telephone or a customer id."""

from __future__ import annotations

import re
from collections.abc import Callable

Shown = Callable[[object], str]
"""Turns the API's `msg` into what an error text may hold."""

_LENGTH = 120
_READ = 4_000
_DIGITS = re.compile(r"\d(?:[\s().+-]{0,2}\d){6,}")
"""Seven digits or more, also when written in groups: telephones and ids. Dates are caught too; no matter."""
_OPAQUE = re.compile(r"[A-Za-z0-9_+/=-]{20,}")
"""No word of the API is so long; a token, or a part of one, is."""
_MASK = "***"


def shown(text: object, *, secret: str) -> str:
    """`text` on one line of 120 characters at most, with the token and everything that could be personal masked."""
    if not isinstance(text, str):
        return ""
    words = text.replace(secret, _MASK)[:_READ]
    words = re.sub(re.escape(secret), _MASK, words, flags=re.IGNORECASE)
    words = _OPAQUE.sub(_MASK, _DIGITS.sub(_MASK, words))
    words = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    return words if len(words) <= _LENGTH else words[: _LENGTH - 1] + "…"
