"""Records of the ledger as an owner writes them, and what entries say, for whoever plays an owner in a test."""

from __future__ import annotations

from collections.abc import Iterable

from producer.core.digests import SIZE
from producer.core.ledger import Kind, Outcome, entry_records
from producer.model import Entry, Outgoing

OBSERVED = "2026-01-19T00:00:00.000000Z"
LIMIT = 1_048_588


def a_told(*ids: str, server: str = "0042", observed_at: str = OBSERVED, digests: bytes | None = None) -> Outgoing:
    """The one record of hits that were published; nobody knows what they said unless `digests` do."""
    packed = bytes(SIZE * len(ids)) if digests is None else digests
    found = entry_records(
        Kind.TOLD, server, ids, outcome=Outcome.PUBLISHED, observed_at=observed_at, limit=LIMIT, digests=packed
    )
    return next(found)[1]


def a_told_dead(*ids: str, server: str = "0042", observed_at: str = OBSERVED) -> Outgoing:
    """The one record of dead rows, by their hashes."""
    found = entry_records(Kind.DEAD, server, ids, outcome=Outcome.DEAD_LETTERED, observed_at=observed_at, limit=LIMIT)
    return next(found)[1]


def ids_in(entries: Iterable[Entry]) -> dict[str, str]:
    """Each id with the `observed_at` that the last of these entries gives it."""
    return {key: entry.observed_at for entry in entries for key in entry.ids}
