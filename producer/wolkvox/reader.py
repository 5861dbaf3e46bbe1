"""One source's rows: whose they are and in which zone their dates are."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from zoneinfo import ZoneInfo

from producer.model import RawRow, Reading, Row, Rows, Snapshot
from producer.wolkvox.marks import is_marked
from producer.wolkvox.parsing import row_of
from producer.wolkvox.privacy import Privacy
from producer.wolkvox.reading import RowsOfSnapshot
from producer.wolkvox.rows import identify


class RowReader:
    """Reads the rows of one server; with `marked_only` those whose `hit` says that they are none are no hits.

    What leaves it is covered by `privacy`, if there is any.
    """

    def __init__(
        self, *, server: str, zone: ZoneInfo, marked_only: bool = False, privacy: Privacy | None = None
    ) -> None:
        self._server = server
        self._zone = zone
        self._marked_only = marked_only
        self._privacy = privacy
        self._unmarked: dict[str, RawRow] = {}
        """Rows that were read as no hits, and are as long as the report shows the same bytes."""

    def identify(self, snapshot: Snapshot, *, known: Container[str], parsed_only: bool = False) -> Rows:
        """The rows by conn_id; those without one are dead. Ids in `known` were valid once and are not looked at.

        `parsed_only`: nor are those of rows that were not parsed again. It never is so where rows say that they are
        none, which are neither told nor waiting.
        """
        rows = identify(snapshot, known=known, parsed_only=parsed_only and not self._marked_only)
        if self._marked_only and rows.further:
            _put_marked_first(rows)
        if self._unmarked:
            self._leave_out_unmarked(rows)
        if self._privacy is not None:
            self._privacy.cover_rows(rows)
        return rows

    def read(
        self,
        rows: Mapping[str, Row | RawRow],
        snapshot: Snapshot,
        *,
        again: Sequence[Mapping[str, Row | RawRow]] = (),
    ) -> Reading:
        """Rows of the snapshot as hits, or as dead rows with the reason. Lets the snapshot's body go.

        `again` are rows of known ids, and what else the report says of them; dead is what stands first.
        """
        exact, snapshot.exact = snapshot.exact, None
        whose = RowsOfSnapshot(
            server=self._server,
            zone=self._zone,
            observed_at=snapshot.received.rfc3339(),
            exact=exact,
            keep_extra=self._privacy is None or self._privacy.keep_extra,
        )
        reading = whose.read(rows, marked_only=self._marked_only)
        if self._marked_only:
            self._unmarked |= {conn_id: row for conn_id in reading.unmarked if isinstance(row := rows[conn_id], RawRow)}
        # One that says now that it is no hit was taken back: that is told.
        others = [whose.read(layer) for layer in again]
        reading.again = [other.hits for other in others]
        for other in others[:1]:
            reading.dead |= other.dead
        if self._privacy is not None:
            self._privacy.cover(reading)
        return reading

    def _leave_out_unmarked(self, rows: Rows) -> None:
        known, fresh = self._unmarked, rows.fresh or []
        self._unmarked = {key: row for key in fresh if (row := known.get(key)) is not None and row == rows.hits[key]}
        rows.fresh = [key for key in fresh if key not in self._unmarked]
        rows.unmarked = len(self._unmarked)


def _put_marked_first(rows: Rows) -> None:
    """Of an id that the report repeats, the first row that says that it is a hit stands for it."""
    fresh = set(rows.fresh or ())
    for layer in rows.further:
        for conn_id in fresh.intersection(layer):
            if not _is_marked(rows.hits[conn_id]) and _is_marked(layer[conn_id]):
                rows.hits[conn_id], layer[conn_id] = layer[conn_id], rows.hits[conn_id]


def _is_marked(row: Row | RawRow) -> bool:
    return is_marked((row_of(row) if isinstance(row, RawRow) else row).get("hit"))
