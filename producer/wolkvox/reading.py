"""The rows that are new to one source, each to a hit or to a dead row.

Most are ordinary: the six fields, each a text. In a group of such each row becomes the hit, by three more fields in the
object that the parser made; in any other group each row is looked at by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from producer.clock import parse_rfc3339
from producer.model import API_FIELDS, DeadRow, Hit, RawRow, Reading, Row
from producer.values import Number, content_key
from producer.wolkvox.dates import moments_of, occurred_at
from producer.wolkvox.hit import read_hit
from producer.wolkvox.marks import unmarked_among
from producer.wolkvox.parsing import row_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

Exact = Callable[[], list[Any]]

_GROUP = 500
_occurred_at = itemgetter("occurred_at")
_SIX = frozenset(API_FIELDS)


class RowsOfSnapshot:
    """What reading needs to know of a snapshot: whose it is, when it came, and its rows with their own digits.

    `zone` is where `date` was written down, `observed_at` is RFC 3339. `exact` is None if the strict parser, which lets
    no lone surrogate through, had to give up.
    """

    def __init__(
        self, *, server: str, zone: ZoneInfo, observed_at: str, exact: Exact | None, keep_extra: bool = True
    ) -> None:
        self._server = server
        self._zone = zone
        self._observed_at = observed_at
        self._exact = exact
        self._keep_extra = keep_extra

    def read(self, rows: Mapping[str, Row | RawRow], *, marked_only: bool = False) -> Reading:
        """These rows, as `identify` found them by conn_id; `marked_only` leaves out what says it is none."""
        reading, moments = Reading(), set[str | None]()
        ids, sent = list(rows), list(rows.values())
        for start in range(0, len(ids), _GROUP):
            group = _parsed(sent[start : start + _GROUP])
            found = self._marked(ids[start : start + _GROUP], group, reading, only=marked_only)
            moments.update(map(_occurred_at, self._read_group(*found, reading)))
        if not marked_only:
            reading.doubtful, reading.unmarked = sum(key in reading.hits for key in reading.unmarked), []
        if None in moments:
            moments = self._date_the_undated(reading)
        # Of one offset the last text is the latest moment, and few reports have two.
        last = {moment[-len("-05:00") :]: moment for moment in sorted(filter(None, moments))}
        reading.newest = max(map(parse_rfc3339, last.values()), default=None)
        return reading

    def _marked(
        self, ids: Sequence[str], rows: Sequence[Any], reading: Reading, *, only: bool
    ) -> tuple[Sequence[str], Sequence[Any]]:
        """Those of a group that are to be read: all, or the marked ones."""
        places = unmarked_among(rows)
        reading.unmarked += map(ids.__getitem__, places)
        if not (places and only):
            return ids, rows
        left = sorted(set(range(len(rows))).difference(places))
        return [ids[place] for place in left], [rows[place] for place in left]

    def _date_the_undated(self, reading: Reading) -> set[str | None]:
        for hit in reading.hits.values():
            date = hit["date"]
            if date and hit["occurred_at"] is None:
                hit["occurred_at"] = occurred_at(date, self._zone, self._observed_at)
                reading.dates_unparsed += hit["occurred_at"] is None
        return set(map(_occurred_at, reading.hits.values()))

    def _read_group(self, ids: Sequence[str], rows: Sequence[Any], reading: Reading) -> Iterable[Hit]:
        if self._exact is not None and (hits := self._ordinary(rows)) is not None:
            reading.hits.update(zip(ids, hits, strict=True))
            return hits
        found = {key: self._read_row(row, reading) for key, row in zip(ids, rows, strict=True)}
        read = {key: hit for key, hit in found.items() if hit is not None}
        reading.hits |= read
        return read.values()

    def _read_row(self, row: Row, reading: Reading) -> Hit | None:
        result = read_hit(
            self._lossless(row),
            server=self._server,
            zone=self._zone,
            observed_at=self._observed_at,
            keep_extra=self._keep_extra,
        )
        if isinstance(result, DeadRow):
            reading.dead[result.key] = result
            return None
        return result

    def _ordinary(self, rows: Sequence[dict[str, Any]]) -> list[Hit] | None:
        """The hits of a group, if each row has the six fields and no other, and each field is a text.

        The rows themselves become hits: nobody else has what the strict parser made of an answer.
        """
        fields, types = set(chain.from_iterable(rows)), set(map(type, chain.from_iterable(map(dict.values, rows))))
        if types != {str} or fields != _SIX or set(map(len, rows)) != {len(_SIX)}:
            return None
        server, moments, observed_at = self._server, moments_of(self._zone), self._observed_at
        for row in rows:
            row["server"] = server
            row["occurred_at"] = moments[row["date"]]
            row["observed_at"] = observed_at
        return rows  # type: ignore[return-value]  # now they have all that a Hit has

    def _lossless(self, row: Row) -> Row:
        """The row with the digits that were sent, where the strict parser read a float: `6736.10` is not 6736.1."""
        if self._exact is None or not any(isinstance(row.get(name), float) for name in API_FIELDS):
            return row
        return self._with_digits.get(content_key(row), row)

    @cached_property
    def _with_digits(self) -> Mapping[str, Row]:
        """By content, not by id: a report may show an id several times."""
        assert self._exact is not None
        return {content_key(row): row for row in reversed(self._exact()) if _has_float(row)}


def _has_float(row: Any) -> bool:
    """Whether one of the six fields of a row with digits is a float to the strict parser."""
    numbers = (row.get(name) for name in API_FIELDS) if isinstance(row, dict) else ()
    return any(isinstance(one, Number) and isinstance(one.value(), float) for one in numbers)


def _parsed(rows: list[Any]) -> list[Any]:
    """The rows, those that are bytes parsed. After a start none is, and asking each by itself would take 10 ms."""
    if RawRow not in set(map(type, rows)):
        return rows
    return [row_of(row) if isinstance(row, RawRow) else row for row in rows]
