"""What the API answers, and what its rows become on the way: a snapshot, its rows by identity, hits or dead rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from producer.clock import Moment, elapsed
from producer.model.events import Hit

REPORT = "hits_last_hour"
"""The report's name, in the API's addresses and in `ce_source`."""
REPORT_REACH = 3_600.0
"""Seconds back that its title promises; its text says ten minutes, see WOLKVOX_WINDOW."""
RECORD_CAP = 60_000
"""Rows in one answer at most (the vendor's page): a snapshot this long is taken as cut off."""
Row = Mapping[str, Any]
"""One object of the report as it was parsed; its fields are the API's."""
RawRow = bytes
"""The fields of a row as they were sent, without the braces: what the last snapshot had too is not parsed again."""


class Reason(StrEnum):
    """Why a row is a dead letter; the `reason` of its record."""

    NOT_AN_OBJECT = "not_an_object"
    CONN_ID_MISSING = "conn_id_missing"
    CONN_ID_INVALID = "conn_id_invalid"
    FIELD_TYPE = "field_type"
    SCHEMA = "schema"
    NOT_ENCODABLE = "not_encodable"
    TOO_LARGE = "too_large"


class Drift(StrEnum):
    """What was odd about an answer yet understood; the `kind` in `drift_total`, which says what each means."""

    TOP_LEVEL_LIST = "top_level_list"
    DATA_OBJECT = "data_object"
    NO_CODE = "no_code"
    CONTRADICTION = "contradiction"
    CACHED = "cached"
    STANDS_STILL = "stands_still"
    CONTENT_ENCODING = "content_encoding"
    DIRT = "dirt"
    NOT_UTF8 = "not_utf8"
    TOLERANT_PARSE = "tolerant_parse"
    NUMBER_ID = "number_id"
    TOTAL_LINE = "total_line"


@dataclass(frozen=True, slots=True)
class DeadRow:
    """A row that can't be an event: why, where in the row (JSON pointer, "" is the whole), and the row as sent.

    `key` is a hash of the row's content, the same whichever parser read it; the record's key, and its identity in the
    ledger, so that it is told once and not at each poll.
    """

    key: str
    reason: Reason
    pointer: str
    row: Any = field(repr=False)  # people's data: not in an error's text either


@dataclass(slots=True)
class Snapshot:
    """One whole answer of the API: the report as it stood at some moment between `requested` and `received`.

    Of an answer that a cache gave `requested` is earlier than the call by the answer's `age` in seconds.
    """

    server: str
    requested: Moment
    received: Moment
    rows: list[Any] = field(repr=False)
    drift: dict[Drift, int] = field(default_factory=dict)
    not_found: bool = False
    """The API said 404: no hits now, or a report that this server does not have."""
    exact: Callable[[], list[Any]] | None = None
    """The same rows from a parser that keeps each number's own digits; None once the body was let go."""
    ids: list[str | None] | None = None
    """The conn_id of each row, None where it is no text; given if some of the rows are a `RawRow`."""
    parsed: list[int] | None = None
    """The places of the rows that are no `RawRow`; None if there is none of these."""
    answer: int = 0
    """Its number among the API's answers to this process: a `RawRow` reads as it did in the one before."""
    size: int = 0
    """Bytes of the answer, decompressed; 0 if it never was bytes."""
    age: float = 0.0

    @property
    def seconds(self) -> float:
        """How long the call took."""
        return elapsed(self.requested, self.received) - self.age

    @property
    def truncated(self) -> bool:
        """Whether the answer reached the API's cap, so that rows may be missing from it."""
        return len(self.rows) >= RECORD_CAP


@dataclass(slots=True)
class Rows:
    """A snapshot's rows by identity, in the order sent; the first of a repeated id counts.

    `len(hits) + len(dead) + repeated + summaries` is the number of rows in the snapshot.
    """

    hits: dict[str, Row | RawRow] = field(repr=False)
    """conn_id to the row, for each row with a usable id; not yet normalised."""
    dead: dict[str, DeadRow] = field(default_factory=dict, repr=False)
    """Rows without a usable id, by their hash."""
    repeated: int = 0
    """Rows whose id (or hash) was already in this snapshot."""
    summaries: int = 0
    """The report's own TOTAL lines: neither event nor dead letter, counted as drift."""
    drift: dict[Drift, int] = field(default_factory=dict)
    fresh: list[str] | None = None
    """The ids of `hits` that the reader was not told to be known, in their order; None if it did not ask."""
    unmarked: int = 0
    """Ids that are not fresh because their rows are the same bytes that were read as no hits: WOLKVOX_HITS=marked."""
    parsed: list[str] | None = None
    """The ids of `hits` whose row is no `RawRow`; None if none is."""
    further: list[dict[str, Row | RawRow]] = field(default_factory=list, repr=False)
    """What else the report says of ids that it repeats: the second row of each, the third, as far as they differ."""


@dataclass(slots=True)
class Reading:
    """What rows became: hits by conn_id, dead rows by their hash; each row is one of the two, or unmarked."""

    hits: dict[str, Hit] = field(default_factory=dict, repr=False)
    dead: dict[str, DeadRow] = field(default_factory=dict, repr=False)
    unmarked: list[str] = field(default_factory=list)
    """Ids of the rows that were left out, since their `hit` says that they are none: WOLKVOX_HITS=marked."""
    doubtful: int = 0
    """Hits whose `hit` says that they are none: WOLKVOX_HITS=all."""
    dates_unparsed: int = 0
    """Hits whose date is none that we can read, and not empty."""
    again: list[dict[str, Hit]] = field(default_factory=list, repr=False)
    """What rows of known ids say now; of ids that the report repeats one of each in turn."""
    newest: float | None = None
    """The latest of the hits' dates, in Unix seconds; None if there is none."""
