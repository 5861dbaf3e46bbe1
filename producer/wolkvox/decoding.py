"""The bytes of an answer to the JSON value that they hold, as far as that takes: most are JSON by the letter.

bytes --strict--> value
  \\--without what stands around one envelope, each text as UTF-8--strict--> value
                                                                 \\--tolerant--> value
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from producer.model import Drift
from producer.wolkvox.charset import as_utf8, of_wide_characters
from producer.wolkvox.parsing import DECODER, Body, Unreadable, check_size, strict, tolerant

_SKIN = b"\xef\xbb\xbf \t\r\n\x00"
"""Byte order marks, blanks and zeros: what begins or ends with such bytes is no less JSON between them."""
_ENVELOPE = re.compile(r'\{\s*"(?:code|error|msg|data)"\s*:')


@dataclass(frozen=True, slots=True)
class Content:
    """A JSON value, and the bytes that it was read from: those of the answer, cleaned if need be.

    `exact` says whether the strict parser read it, so that no number in it is a `Number`.
    """

    value: Any
    body: Body
    exact: bool = True
    drift: dict[Drift, int] = field(default_factory=dict)


def content_of(body: Body, content_type: str) -> Content:
    """The value in a body; raises Unreadable."""
    try:
        return Content(strict(body), body)
    except Unreadable as unreadable:
        problem = str(unreadable)
    check_size(body)
    for piece, drift in _pieces(body):
        try:
            return _read(piece, content_type, drift)
        except Unreadable as unreadable:
            problem = problem if drift else str(unreadable)
    raise Unreadable(problem)


def envelope_in(body: Body) -> Body | None:
    """The one whole envelope of the API with other text around it; None if there is none, or anything of a second."""
    text = body.decode("latin-1")  # a letter a byte, and all that JSON is made of is ASCII
    found, at = None, 0
    while begin := _ENVELOPE.search(text, at):
        try:
            value, at = DECODER.raw_decode(text, begin.start())
        except (json.JSONDecodeError, RecursionError):
            return None
        if isinstance(value, dict) and "code" in value and value.keys() & {"data", "msg"}:
            if found is not None:
                return None
            found = body[begin.start() : at]
    return found


def _pieces(body: Body) -> Iterator[tuple[Body, dict[Drift, int]]]:
    bare = body.strip(_SKIN)
    yield bare, {Drift.DIRT: 1} if len(bare) < len(body) else {}
    if (wide := of_wide_characters(body)) is not None:
        yield wide, {Drift.NOT_UTF8: 1}
    if (clean := envelope_in(body)) is not None:
        yield clean, {Drift.DIRT: 1}


def _read(piece: Body, content_type: str, drift: dict[Drift, int]) -> Content:
    text, texts = as_utf8(piece, content_type)
    drift |= {Drift.NOT_UTF8: texts} if texts else {}
    if drift:
        try:
            return Content(strict(text), text, drift=drift)
        except Unreadable:
            pass
    return Content(tolerant(text), text, exact=False, drift=drift | {Drift.TOLERANT_PARSE: 1})
