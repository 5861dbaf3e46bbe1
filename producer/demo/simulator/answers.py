"""What the simulated API answers, as data: the report of a moment, and the raw answer made of it.

    hits --> Report --(a fault, if any)--> Answer --> the wire

An answer knows which ids a reader of the whole of it has been shown: the audit of a test or a demo rests on that.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import orjson

from producer.model import RECORD_CAP


class Delivery(StrEnum):
    """How an answer goes over the wire."""

    WHOLE = "whole"
    SLOW = "slow"  # after a pause
    DRIP = "drip"  # a byte, a pause, a byte …
    SILENT = "silent"  # never
    STALLED = "stalled"  # half of it, then nothing more
    RESET = "reset"  # the connection is cut before the first byte
    RAW = "raw"  # the body as it is, instead of an HTTP answer
    CUT = "cut"  # half of it, then the connection is cut


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer as raw bytes; `pause` in seconds, for SLOW and DRIP.

    `encoding` says that `body` already is in that Content-Encoding (or pretends to be). `shown` are the conn_ids for
    which an event must exist once somebody has read the whole answer.
    """

    body: bytes
    status: int = 200
    media_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    encoding: str | None = None
    delivery: Delivery = Delivery.WHOLE
    pause: float = 0.0
    shown: tuple[str, ...] = ()
    saying: tuple[tuple[str, str], ...] = ()
    """Of those whose row may change, by conn_id: what its `hit` says."""

    def packed(self) -> Answer:
        """The same in Content-Encoding gzip, at its fastest: 10 MB take 40 ms."""
        return replace(self, body=gzip.compress(self.body, 1), encoding="gzip")


@dataclass(frozen=True, slots=True)
class Row:
    """One element of `data` as JSON bytes, and the id of the event it must become (None: it is no hit).

    `says` is what the `hit` of a row says that may change.
    """

    conn_id: str | None
    encoded: bytes
    says: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The truth at `now` (seconds since 1970), and the address of another host for an answer that points there."""

    now: float
    rows: Sequence[Row]
    elsewhere: str = "http://elsewhere.invalid/"

    def answer(self, *, head: bytes | None = None, tail: bytes = b"]}", code: bytes = b"200") -> Answer:
        """The rows in the API's envelope, or between another head and tail; never more than the API's cap."""
        rows = self.rows[:RECORD_CAP]
        head = envelope_head(len(rows), code=code) if head is None else head
        body = head + b",".join([row.encoded for row in rows]) + tail
        shown = tuple([row.conn_id for row in rows if row.conn_id is not None])
        saying = tuple([(row.conn_id, row.says) for row in rows if row.conn_id is not None and row.says is not None])
        return Answer(body, shown=shown, saying=saying)

    def led_by(self, rows: Sequence[Row]) -> Report:
        """The same report with these rows before its own, where the cap does not cut them off."""
        return replace(self, rows=[*rows, *self.rows])

    def followed_by(self, rows: Sequence[Row]) -> Report:
        """The same report with these rows at its end, as far as the cap leaves room."""
        return replace(self, rows=[*self.rows, *rows])


@dataclass(frozen=True, slots=True)
class Fault:
    """A named way to answer otherwise than well; `seconds` is its default argument, None if it takes none.

    `only_hits`: it plays with the rows of the report, and leaves other requests alone. `still`: it gets the report of
    the moment when it began. `only_history`: it is a flaw of the historical reports (`historical`), by its name.
    """

    name: str
    description: str
    make: Callable[[Report, float], Answer]
    seconds: float | None = None
    only_hits: bool = False
    still: bool = False
    only_history: bool = False

    def plays_with(self, *, hits: bool) -> bool:
        """Whether it makes the answer to a call, of the report of hits or of anything else."""
        return not self.only_history and (hits or not self.only_hits)


def always(answer: Answer) -> Callable[[Report, float], Answer]:
    """A fault's `make` that gives the same answer whatever the report; Retry-After if the fault was given seconds."""

    def make(_report: Report, seconds: float) -> Answer:
        return replace(answer, headers=(*answer.headers, ("retry-after", f"{seconds:.0f}"))) if seconds else answer

    return make


def envelope(code: Any = 200, *, error: str | None = None, msg: str = "", data: Any = None) -> bytes:
    """The API's own envelope."""
    return orjson.dumps({"code": code, "error": error, "msg": msg, "data": data})


def envelope_head(rows: int, *, code: bytes = b"200", error: bytes = b"null") -> bytes:
    """The envelope up to the first row."""
    return b'{"code":%b,"error":%b,"msg":"%d records were found","data":[' % (code, error, rows)


def refusal(status: int, error: str, msg: str, *, http_status: int | None = None) -> Answer:
    """A refusal in the API's own envelope; `http_status` if HTTP itself says something else."""
    return Answer(envelope(status, error=error, msg=msg), status=status if http_status is None else http_status)


SQL_ERROR = "SQLSTATE[HY000] [2002] Connection refused"

# The texts of the vendor's page "API response codes", as far as it gives them.
NO_TOKEN = refusal(401, "UNAUTHORIZED", "PLEASE ENTER THE WOLKVOX-TOKEN")
BAD_TOKEN = refusal(403, "FORBIDDEN", "PLEASE VALIDATE TOKEN")
QUOTA_SPENT = refusal(403, "FORBIDDEN", "TOKEN LIMIT EXCEEDED")
SIMULTANEOUS = refusal(403, "FORBIDDEN", "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)")
UNKNOWN_REPORT = refusal(400, "BAD REQUEST", "THE API YOU WANT TO CONSULT DOES NOT EXIST")
NO_REPORT = refusal(400, "BAD REQUEST", "SOME PARAMETERS ARE REQUIRED")
NONE_FOUND = refusal(404, "NOT FOUND", "Validate dates entered")
