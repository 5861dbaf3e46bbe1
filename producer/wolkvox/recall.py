r"""Rows that the last answer had as well, known by their very bytes: only what is new is parsed.

    {"code":200, ... "data":[{ text },{ text },{ text }]}
    \------- frame -------/                             \ frame

If the frame is JSON with an empty list between its halves, and each text is a JSON object within braces of its own,
then the answer is JSON and these are its rows, whatever they hold: what was cut inside a string or inside a nested
object is no object by itself. Wherever that is not so, the answer is parsed whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from producer.garbage import collection_paused
from producer.wolkvox.common_rows import BETWEEN, Region, Stretch, at_the_beginning, at_the_end
from producer.wolkvox.parsing import Body, Unreadable, check_plausible, row_of

T = TypeVar("T")

_LONGEST_FRAME = 64 * 1024
_GROUP = 500
"""Rows parsed in one go: nearly as quick as all at once, and no other thread waits longer than a millisecond for it."""


@dataclass(frozen=True, slots=True)
class Content:
    """An answer in parts: the object with no rows in it; the rows in the order sent, `bytes` where not parsed again;
    the conn_id of each, None where it is no text; and the places of those that were parsed."""

    envelope: dict[str, Any]
    rows: list[Any]
    ids: list[str | None]
    parsed: list[int]


@dataclass(frozen=True, slots=True)
class _Known:
    """An answer, the texts of its rows, and the conn_id of each."""

    region: Region
    texts: list[bytes]
    ids: list[str | None]


_NOTHING = _Known(Region(b"", 0, 0), [], [])


class Recall:
    """One source's last answer, and what its rows are.

    Of no earlier one: a row that is found again reads as it did in the last answer, also if it had read so before that
    and otherwise in between.
    """

    def __init__(self) -> None:
        self._last: _Known | None = None
        self.answers = 0
        """How many there were, the last one included."""

    def content(self, body: Body) -> Content | None:
        """The parts of an answer; None if it must be parsed whole.

        So is the first: the start of a service has enough to hold, and nothing to find again yet.
        """
        self.answers += 1
        before, self._last = self._last, _NOTHING
        if before is None:
            return None
        framed = _framed(bytes(body))
        if framed is None:
            return None
        envelope, region = framed
        texts, ids = _recalled(before, region)
        new = _places_of_none(ids)
        rows: list[Any] = texts.copy()
        try:
            parsed = _parsed([texts[place] for place in new])
        except (Unreadable, orjson.JSONDecodeError):
            return None
        for place, row in zip(new, parsed, strict=True):
            rows[place] = row
            conn_id = row.get("conn_id")
            ids[place] = conn_id if isinstance(conn_id, str) else None
        self._last = _Known(region, texts, ids)
        return Content(envelope, rows, ids, new)


def _recalled(before: _Known, new: Region) -> tuple[list[bytes], list[str | None]]:
    """The texts of a new answer's rows, and the conn_id of each that the answer before has, None of any other."""
    texts, ids = before.texts, before.ids
    head = at_the_beginning(before.region, texts, new)
    if head.count and head.size == new.end - new.begin:
        return _of(head, texts), _of(head, ids)
    rest = Region(new.body, new.begin + (head.size + len(BETWEEN) if head.count else 0), new.end)
    tail = at_the_end(before.region, texts, rest)
    if tail.count and tail.size == rest.end - rest.begin:
        return _of(head, texts) + _of(tail, texts), _of(head, ids) + _of(tail, ids)
    between = new.body[rest.begin : rest.end - (tail.size + len(BETWEEN) if tail.count else 0)].split(BETWEEN)
    others = dict(zip(_but(head, tail, texts), _but(head, tail, ids), strict=True))
    return (
        _of(head, texts) + between + _of(tail, texts),
        _of(head, ids) + list(map(others.get, between)) + _of(tail, ids),
    )


def _of(stretch: Stretch, column: list[T]) -> list[T]:
    return column[stretch.first : stretch.first + stretch.count]


def _but(head: Stretch, tail: Stretch, column: list[T]) -> list[T]:
    """All but what is in these two, which may overlap."""
    one, other = sorted((head, tail), key=lambda stretch: stretch.first)
    between = one.first + one.count
    behind = max(between, other.first + other.count)
    return column[: one.first] + column[between : other.first] + column[behind:]


def _places_of_none(ids: list[str | None]) -> list[int]:
    places = [-1]
    for _ in range(ids.count(None)):
        places.append(ids.index(None, places[-1] + 1))
    return places[1:]


def _framed(body: bytes) -> tuple[dict[str, Any], Region] | None:
    """The envelope, and where the rows are, if the answer has the documented shape, written without blanks."""
    begin, end = body.find(b"[{", 0, _LONGEST_FRAME), body.rfind(b"}]", -_LONGEST_FRAME)
    if not 0 <= begin < end - 1:
        return None
    frame = body[: begin + 1] + body[end + 1 :]
    # One bracket opens in it. If it stood in a string, no list would be left for `data`.
    if frame.count(b"[") != 1 or BETWEEN in frame:
        return None
    try:
        envelope = orjson.loads(frame)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(envelope, dict) or envelope.get("data") != [] or "code" not in envelope:
        return None
    return envelope, Region(body, begin + 2, end)


def _parsed(texts: Sequence[bytes]) -> list[dict[str, Any]]:
    """The object of each text; raises JSONDecodeError or Unreadable if any is none by itself."""
    if not texts:
        return []
    check_plausible(BETWEEN.join(texts))
    rows: list[dict[str, Any]] = []
    with collection_paused():
        for start in range(0, len(texts), _GROUP):
            rows += _group(texts[start : start + _GROUP])
    return rows


def _group(texts: Sequence[bytes]) -> list[dict[str, Any]]:
    together = b"[{" + BETWEEN.join(texts) + b"}]"
    if together.count(b"{") == len(texts) == together.count(b"}"):
        rows: list[dict[str, Any]] = orjson.loads(together)
        # So many objects and not one brace more: each object ends where its text does.
        if len(rows) == len(texts) and set(map(type, rows)) == {dict}:
            return rows
    return [row_of(text) for text in texts]
