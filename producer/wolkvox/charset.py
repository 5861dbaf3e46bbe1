"""Bytes that are not UTF-8 to bytes that are: old databases and pages hand out accents of one byte.

Each text is judged by itself, for one row may come from another table than the next.
"""

from __future__ import annotations

import codecs
import json
import re
from functools import lru_cache

Body = bytes | bytearray

_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_CHARSET = re.compile(r'charset\s*=\s*"?([\w.:-]{1,40})', re.ASCII | re.IGNORECASE)
_OF_ONE_BYTE = re.compile(r"(?:cp|iso8859-|koi8-|mac-)[\w-]+")
_WINDOWS_1252 = "cp1252"
_MOST = 500_000
"""Texts that are written anew: eight in each of 60,000 rows. Ten hostile megabytes can hold millions."""


def as_utf8(body: Body, content_type: str) -> tuple[Body, int]:
    """The body with each text in it that is not UTF-8 written anew, and how many those were.

    Such a text is in the charset that the Content-Type names, if it is one of one byte a letter, else in windows-1252.
    A byte that has no letter there becomes U+FFFD; what stands outside of texts stays as it is.
    """
    if _is_utf8(body):
        return body, 0
    letters = _letters(content_type)
    pieces: list[Body] = []
    found = at = 0
    while found < _MOST and (odd := _BEYOND_ASCII.search(body, at)):
        text = _TEXT.match(body, _quote_before(body, odd.start(), at))
        if text is None or text.end() < odd.end():
            pieces.append(body[at : odd.end()])
            at = odd.end()
            continue
        pieces += [body[at : text.start()], text[0]]
        if not _is_utf8(text[0]):
            pieces[-1] = text[0].decode("latin-1").translate(letters).encode()
            found += 1
        at = text.end()
    return b"".join([*pieces, body[at:]]), found


def of_wide_characters(body: Body) -> bytes | None:
    """A body in UTF-16 or UTF-32 as UTF-8, None if it is in neither."""
    encoding = json.detect_encoding(body[:4])
    if not encoding.startswith(("utf-16", "utf-32")):
        return None
    try:
        return body.decode(encoding).encode()
    except UnicodeDecodeError:
        return None


def _quote_before(body: Body, at: int, begin: int) -> int:
    """Where the text around a byte begins; `at` if no text begins between `begin` and the byte."""
    quote = at
    while (quote := body.rfind(b'"', begin, quote)) >= 0:
        escapes = quote
        while escapes > begin and body[escapes - 1] == ord("\\"):
            escapes -= 1
        if (quote - escapes) % 2 == 0:
            return quote
    return at


def _is_utf8(text: Body) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


@lru_cache(maxsize=16)
def _letters(content_type: str) -> str:
    """The letter of each byte. As browsers do (encoding.spec.whatwg.org), Latin-1 is taken as windows-1252."""
    named = _CHARSET.search(content_type)
    try:
        name = codecs.lookup(named[1]).name if named else _WINDOWS_1252
    except LookupError:
        name = _WINDOWS_1252
    letters = _table(name) if _OF_ONE_BYTE.fullmatch(name) and name != "iso8859-1" else ""
    is_ascii_below = letters[:128] == _table(_WINDOWS_1252)[:128]
    return letters if len(letters) == 256 and is_ascii_below else _table(_WINDOWS_1252)


def _table(name: str) -> str:
    return bytes(range(256)).decode(name, "replace")
