"""A ledger as the service would have written it: snapshots of new ids, each told as the service tells one."""

from __future__ import annotations

import time
from collections.abc import Iterator

from producer.clock import rfc3339
from producer.core.digests import packed
from producer.core.ledger import Kind, Outcome, entry_records
from producer.core.transaction import GROUP
from producer.model import Hit, Outgoing
from tests.benchmarks.answers import conn_id
from tests.twins.told import LIMIT

SNAPSHOT = 1_200
"""New ids of one snapshot."""


def ledger_of(server: str, count: int) -> Iterator[Outgoing]:
    """The records of so many ids, one snapshot after the other up to now."""
    now = time.time()
    for first in range(0, count, SNAPSHOT):
        observed_at = rfc3339(now - (count - first) / SNAPSHOT)
        for start in range(first, min(first + SNAPSHOT, count), GROUP):
            ids = list(map(conn_id, range(start, min(start + GROUP, first + SNAPSHOT, count))))
            said = packed(_hit(server, name, observed_at) for name in ids)
            found = entry_records(
                Kind.TOLD,
                server,
                ids,
                outcome=Outcome.PUBLISHED,
                observed_at=observed_at,
                limit=LIMIT,
                digests=said,
            )
            yield from (record for _, record in found)


def _hit(server: str, name: str, observed_at: str) -> Hit:
    return {
        "conn_id": name,
        "type_interaction": "inbound",
        "date": "20260118190000",
        "telephone": "573005550123",
        "customer_id": None,
        "hit": "VENTA EFECTIVA",
        "server": server,
        "occurred_at": None,
        "observed_at": observed_at,
    }
