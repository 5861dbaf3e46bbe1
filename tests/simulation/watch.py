"""What a simulated instance tells: lines of the story, and counts that must add up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from producer.core.ports import Failed, Polled, Told, Unhealed
from producer.core.source import Source
from producer.errors import KafkaFailed
from producer.model import Dropped, Progress
from tests.simulation.story import Wrong


class WatchedSource(Source):
    """A source that notes which rows it dropped because another owner may have told and forgotten them."""

    def __init__(self, *, server: str, keep: float, window: float, heal_after: float | None = None) -> None:
        super().__init__(server=server, keep=keep, window=window, heal_after=heal_after)
        self.superseded: set[str] = set()

    def _settle_waiting(self, dropped: Dropped) -> None:
        before = _names(self)
        super()._settle_waiting(dropped)
        if dropped.superseded:
            self.superseded |= before - _names(self)


def _names(source: Source) -> set[str]:
    dead = (row.row["hit"] for harvest in source.pending.harvests() for row in harvest.dead.values())
    return {*source.pending.hits, *dead}


@dataclass(slots=True)
class Count:
    """One process's rows of one source."""

    taken: int = 0
    told: int = 0
    dropped: int = 0


class Watch:
    """The Observer of one process."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tell = tell
        self.counts: dict[str, Count] = {}
        self.fences = 0

    def polled(self, polled: Polled) -> None:
        told_of = polled.new + polled.changed + polled.duplicate + polled.dead + polled.unmarked + polled.summaries
        if polled.rows != told_of:
            raise Wrong(f"a poll's counters do not add up: {polled}")
        self._count(polled.server).taken += polled.new + polled.changed + polled.dead
        cut = ", truncated" if polled.truncated else ""
        self.tell(f"{polled.server} polled: {polled.rows} rows, {polled.new + polled.dead} new{cut}")

    def failed(self, failed: Failed) -> None:
        self.tell(f"{failed.server} not polled: {failed.error.outcome}, again in {failed.retry_in:.1f} s")
        if "unexpected" in str(failed.error):
            raise Wrong(f"a defect in a poll: {failed.error}")

    def died(self, server: str, error: Exception, *, retry_in: float) -> None:
        raise Wrong(f"the polling of {server} died") from error

    def only_not_found(self, server: str, *, times: int) -> None:
        """Not in this world."""

    def quota_short(self, server: str, text: str) -> None:
        """Not in this world."""

    def overrun(self, server: str, *, slots: int) -> None:
        self.tell(f"{server} overran {slots} slots")

    def dropped(self, told: Mapping[str, Told]) -> None:
        for server, one in told.items():
            drop = one.dropped
            rows = drop.confirmed + drop.duplicate + drop.superseded + drop.elsewhere
            self._count(server).dropped += rows
            if rows or drop.gaps:
                self.tell(f"{server} dropped {drop}")

    def committed(self, shard: int, told: Mapping[str, Told], *, seconds: float) -> None:
        for server, one in told.items():
            self._count(server).told += one.published + one.changed + one.dead_lettered
        rows = {server: one.published + one.changed + one.dead_lettered for server, one in told.items()}
        gaps = [f", gap {gap.kind} of {gap.end - gap.start:.0f} s" for one in told.values() for gap in one.gaps]
        healed = [f", healed {gap}" for one in told.values() for gap in one.recoveries]
        self.tell(f"shard {shard} committed {rows}{''.join(gaps)}{''.join(healed)}")

    def commit_failed(self, shard: int, error: KafkaFailed, *, pending: int, retry_in: float) -> None:
        self.tell(f"shard {shard} failed: {type(error).__name__} {error}, {pending} wait, again in {retry_in:.1f} s")

    def fenced_repeatedly(self, shard: int, *, times: int, seconds: float) -> None:
        self.fences += 1
        self.tell(f"shard {shard} was fenced {times} times in {seconds:.0f} s")

    def not_healed(self, unhealed: Unhealed) -> None:
        gap, again = unhealed.gap, "never" if unhealed.retry_in is None else f"in {unhealed.retry_in:.0f} s"
        self.tell(f"{gap.server} not healed, {gap.kind} of {gap.end - gap.start:.0f} s: {unhealed.why}, again {again}")
        if "unexpected" in unhealed.why:
            raise Wrong(f"a defect in the healing: {unhealed.why}")

    def restoring(self, shard: int, progress: Progress, *, seconds: float) -> None:
        """Not in this world: its ledgers are read at once."""

    def restored(self, shard: int, servers: Sequence[str], *, ids: int, seconds: float) -> None:
        self.tell(f"shard {shard} restored: {ids} ids")

    def cursor_ahead(self, server: str) -> None:
        self.tell(f"{server}: the cursor is ahead of the clock")

    def unknown_sources(self, shard: int, servers: Sequence[str]) -> None:
        """Not in this world."""

    def given_up(self, shard: int, servers: Sequence[str], *, pending: int) -> None:
        self.tell(f"shard {shard} given up, {pending} wait")

    def _count(self, server: str) -> Count:
        return self.counts.setdefault(server, Count())
