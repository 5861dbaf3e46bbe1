"""One source's rows: whose they are and in which zone their dates are."""

from __future__ import annotations

from collections.abc import Container, Mapping
from zoneinfo import ZoneInfo

from producer.model import RawRow, Reading, Row, Rows, Snapshot
from producer.wolkvox.reading import RowsOfSnapshot
from producer.wolkvox.rows import identify


class RowReader:
    """Reads the rows of one server."""

    def __init__(self, *, server: str, zone: ZoneInfo) -> None:
        self._server = server
        self._zone = zone

    def identify(self, snapshot: Snapshot, *, known: Container[str]) -> Rows:
        """The rows by conn_id; those without one are dead. Ids in `known` were valid once and are not looked at."""
        return identify(snapshot, known=known)

    def read(self, rows: Mapping[str, Row | RawRow], snapshot: Snapshot) -> Reading:
        """Rows of the snapshot as hits, or as dead rows with the reason. Lets the snapshot's body go."""
        exact, snapshot.exact = snapshot.exact, None
        observed_at = snapshot.received.rfc3339()
        return RowsOfSnapshot(server=self._server, zone=self._zone, observed_at=observed_at, exact=exact).read(rows)
