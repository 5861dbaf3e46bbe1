r"""Rows that the last answer had as well, known by their very bytes: only what is new is parsed.

    {"code":200, ... "data":[{ text },{ text },{ text }]}
    \------- frame -------/                             \ frame

If the frame is JSON with an empty list between its halves, and each text is a JSON object within braces of its own,
then the answer is JSON and these are its rows, whatever they hold: what was cut inside a string or inside a nested
object is no object by itself. Wherever that is not so, the answer is parsed whole.

60,000 rows that are known take two thirds of the time that parsing them takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from producer.garbage import collection_paused
from producer.wolkvox.parsing import Body, Unreadable, check_plausible, row_of

_BETWEEN = b"},{"
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


class Recall:
    """The texts of one source's last answer, each with its row's conn_id.

    Of no earlier one: a row that is found again reads as it did in the last answer, also if it had read so before that
    and otherwise in between.
    """

    def __init__(self) -> None:
        self._ids: dict[bytes, str | None] | None = None
        self.answers = 0
        """How many there were, the last one included."""

    def content(self, body: Body) -> Content | None:
        """The parts of an answer; None if it must be parsed whole.

        So is the first: the start of a service has enough to hold, and nothing to find again yet.
        """
        self.answers += 1
        before, self._ids = self._ids, {}
        if before is None:
            return None
        parts = _parts(bytes(body))
        if parts is None:
            return None
        envelope, texts = parts
        ids = list(map(before.get, texts))
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
        self._ids = dict(zip(texts, ids, strict=True)) if new or len(texts) != len(before) else before
        return Content(envelope, rows, ids, new)


def _places_of_none(ids: list[str | None]) -> list[int]:
    places = [-1]
    for _ in range(ids.count(None)):
        places.append(ids.index(None, places[-1] + 1))
    return places[1:]


def _parts(body: bytes) -> tuple[dict[str, Any], list[bytes]] | None:
    """The envelope and the texts of the rows, if the answer has the documented shape, written without blanks."""
    begin, end = body.find(b"[{", 0, _LONGEST_FRAME), body.rfind(b"}]", -_LONGEST_FRAME)
    if not 0 <= begin < end - 1:
        return None
    frame = body[: begin + 1] + body[end + 1 :]
    # One bracket opens in it. If it stood in a string, no list would be left for `data`.
    if frame.count(b"[") != 1 or _BETWEEN in frame:
        return None
    try:
        envelope = orjson.loads(frame)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(envelope, dict) or envelope.get("data") != [] or "code" not in envelope:
        return None
    texts = body.split(_BETWEEN)
    texts[-1] = texts[-1][: end - len(body)]
    texts[0] = texts[0][begin + 2 :]
    return envelope, texts


def _parsed(texts: Sequence[bytes]) -> list[dict[str, Any]]:
    """The object of each text; raises JSONDecodeError or Unreadable if any is none by itself."""
    if not texts:
        return []
    check_plausible(_BETWEEN.join(texts))
    rows: list[dict[str, Any]] = []
    with collection_paused():
        for start in range(0, len(texts), _GROUP):
            rows += _group(texts[start : start + _GROUP])
    return rows


def _group(texts: Sequence[bytes]) -> list[dict[str, Any]]:
    together = b"[{" + _BETWEEN.join(texts) + b"}]"
    if together.count(b"{") == len(texts) == together.count(b"}"):
        rows: list[dict[str, Any]] = orjson.loads(together)
        # So many objects and not one brace more: each object ends where its text does.
        if len(rows) == len(texts) and set(map(type, rows)) == {dict}:
            return rows
    return [row_of(text) for text in texts]
