"""One source's rows: whose they are and in which zone their dates are."""

from __future__ import annotations

from collections.abc import Container
from zoneinfo import ZoneInfo

from producer.model import DeadRow, Hit, Row, Rows, Snapshot
from producer.wolkvox.rows import identify, read_hit


class RowReader:
    """Reads the rows of one server."""

    def __init__(self, *, server: str, zone: ZoneInfo) -> None:
        self._server = server
        self._zone = zone

    def identify(self, snapshot: Snapshot, *, known: Container[str]) -> Rows:
        """The rows by conn_id; those without one are dead. Ids in `known` were valid once and are not looked at."""
        return identify(snapshot, known=known)

    def read(self, row: Row, observed_at: str) -> Hit | DeadRow:
        """One row as a hit, or the reason why it is none."""
        return read_hit(row, server=self._server, zone=self._zone, observed_at=observed_at)
