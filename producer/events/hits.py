"""Hits, and hits that changed, as records: by the tens of thousands, so what is the same for many is made once."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

import orjson

from producer.events import encoding
from producer.events.catalogue import ON_TOPIC, writer, writer_of_many
from producer.events.encoding import NotEncodable
from producer.events.headers import constant
from producer.events.record import Record, size
from producer.model import Method, Reason, Series, Topic
from producer.values import encodable, field_pointer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from producer.model import Header, Hit

_conn_id = itemgetter("conn_id")

LONGEST_POINTER = 1024
"""Characters of a JSON pointer that are kept."""

_ROOM = 4096
"""More than key, headers and framing of any hit take: a conn_id of 256 characters counts at most 3 x 1,024 bytes."""

_BEHIND = {"occurred_at": "date", "observed_at": "", "first_observed_at": "", "server": "", "extra": ""}
"""The row's field behind a field of the event, where the name differs; "" for none."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a hit can't be sent, and where: `pointer` is a JSON pointer into the API's row, "" for the whole."""

    reason: Reason
    pointer: str


class HitRecords:
    """The records of one source's hits for the hits topic, or of their changes for the other."""

    def __init__(self, topic: Topic, *, server: str, recovered: Method | None = None) -> None:
        self._topic = topic
        self._prefix = f"{server}/".encode()
        [self._name] = ON_TOPIC[topic]
        self._is_hit = writer(self._name).is_valid
        self._are_hits = writer_of_many(self._name).is_valid
        self._constant = constant(self._name, server, recovered)

    def one(self, hit: Hit, *, limit: int) -> Record | Refusal:
        """The record of one hit, or why there is none."""
        if not self._is_hit(hit):
            return self._refused(hit)
        try:
            value = orjson.dumps(hit)
        except orjson.JSONEncodeError:
            try:
                value = encoding.exactly(hit)
            except NotEncodable:
                return _not_encodable(hit)
        key = hit["conn_id"].encode()
        record = Record(self._topic, key, value, self._headers(key, hit["observed_at"].encode()))
        if len(value) > limit - _ROOM and size(record) > limit:
            return Refusal(Reason.TOO_LARGE, "")
        return record

    def together(self, hits: Sequence[Hit], *, limit: int) -> Series | None:
        """The records of one or more new hits of one snapshot, as `one` makes them; None if it must look at each."""
        assert self._topic is Topic.HITS, "the id of a change has more than the key"
        if not self._are_hits(hits):
            return None
        try:
            values = list(map(orjson.dumps, hits))
        except orjson.JSONEncodeError:
            return None
        if max(map(len, values), default=0) > limit - _ROOM:
            return None
        keys = list(map(str.encode, map(_conn_id, hits)))
        shared = [*self._constant, ("ce_time", hits[0]["observed_at"].encode())]
        return Series(self._topic, keys, values, shared, [("ce_id", self._prefix), ("ce_subject", b"")])

    def _headers(self, key: bytes, observed_at: bytes) -> list[Header]:
        # A hit is told once, but may change in any snapshot.
        moment = b"" if self._topic is Topic.HITS else b"/" + observed_at
        own = ("ce_time", observed_at), ("ce_id", self._prefix + key + moment), ("ce_subject", key)
        return [*self._constant, *own]

    def _refused(self, hit: Hit) -> Refusal:
        path = next(iter(writer(self._name).iter_errors(hit))).instance_path
        return Refusal(Reason.SCHEMA, _pointer(str(path[0])) if path else "")


def _not_encodable(hit: Hit) -> Refusal:
    for name, value in [*hit.items(), *hit.get("extra", {}).items()]:
        try:
            encoding.exactly([name, value])
        except NotEncodable:
            if name != "extra":
                return Refusal(Reason.NOT_ENCODABLE, _pointer(name))
    return Refusal(Reason.NOT_ENCODABLE, "")


def _pointer(field: str) -> str:
    name = _BEHIND.get(field, field)
    pointer = encodable(field_pointer(name)) if name else ""
    return pointer if len(pointer) <= LONGEST_POINTER else ""
