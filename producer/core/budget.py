"""PENDING_LIMIT: how many rows may wait for Kafka, and what is let go when the room is needed (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from producer.core.ports import Budget, Told
from producer.core.source import Source
from producer.errors import PendingFull


def require_room(budget: Budget, rows: int) -> None:
    """Raise PendingFull if so many more rows may not wait, whatever is let go for them."""
    if budget.waiting() + rows <= budget.limit:
        return
    budget.make_room(rows)
    waiting = budget.waiting()
    # With nothing waiting any snapshot is taken: a limit below one report must not silence its source for good.
    if rows and waiting and waiting + rows > budget.limit:
        raise PendingFull(f"PENDING_LIMIT: {waiting} rows wait for Kafka, {rows} more would exceed it")


class Pendings:
    """What waits for Kafka, all sources together, against PENDING_LIMIT; `on_dropped` is told what was let go."""

    def __init__(
        self, sources: Sequence[Source], limit: int, *, on_dropped: Callable[[Mapping[str, Told]], None]
    ) -> None:
        self._sources = sources
        self._on_dropped = on_dropped
        self.limit = limit

    def waiting(self) -> int:
        """Rows that wait."""
        return sum(len(source.pending) for source in self._sources)

    def make_room(self, rows: int) -> None:
        """Let go of sources whose shard went elsewhere, the one that waits longest first, until `rows` more fit.

        Their present owner polls them, and the ledger's cursor, which no row that waits has moved, tells it from when.
        """
        waiting = self.waiting()
        if waiting + rows <= self.limit:
            return
        elsewhere = [source for source in self._sources if len(source.pending) and not source.held]
        own = waiting - sum(len(source.pending) for source in elsewhere)
        if own and own + rows > self.limit:
            return  # nothing is let go in vain
        for source in sorted(elsewhere, key=_waits_since):
            if self.waiting() + rows > self.limit:
                self._let_go(source)

    def _let_go(self, source: Source) -> None:
        told = Told()
        source.let_go(told.dropped)
        self._on_dropped({source.server: told})


def _waits_since(source: Source) -> float:
    return next(source.pending.harvests()).requested.boot
