"""What of that which waits must not be told any more, judged at the take: whether another owner told it, or we (pure).

Nearly always there is nothing to do; only a ledger that was read again can have anything of ours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from producer.core.cursor import LedgerCursor
from producer.core.digests import NEVER_COMPARED, digest
from producer.core.harvest import Harvest
from producer.core.pending import Pending
from producer.core.window import Window
from producer.model import Dropped, Gap, Hit, Version


@dataclass(slots=True)
class Settlement:
    """One take's look at what waits; counts into `dropped`. `in_doubt` is what a commit of ours may have told."""

    hits: Window
    dead: Window
    pending: Pending
    cursor: LedgerCursor
    in_doubt: Collection[str | Gap]
    dropped: Dropped
    drops_versions: bool = field(default=False, init=False)
    """Whether what a snapshot said of a hit was dropped, so that the next one may say it again."""

    def drop_told(self) -> None:
        """What the ledger has: of a hit this version or a later one, by the snapshot that showed it, or whatever was
        shown before an owner asked who knew the hit."""
        done = set[str]()
        for harvest in reversed(list(self.pending.harvests())):
            for rows in (harvest.hits, harvest.changes):
                done.update(key for key in self.hits.among(rows.keys()) if self._is_told(rows[key], harvest))
            self._pass_on(harvest, done & (harvest.hits.keys() | harvest.changes.keys()))
            hits, changes = (list(done & rows.keys()) for rows in (harvest.hits, harvest.changes))
            self._drop(harvest, hits=hits, changes=changes, dead=self.dead.among(harvest.dead.keys()))

    def drop_superseded(self, *, after: float) -> None:
        """What was shown so long before another owner's cursor that he may have told and forgotten it."""
        for harvest in list(self.pending.harvests()):
            if self.cursor.overtook(harvest.requested) > after:
                self._pass_on(harvest, harvest.hits.keys() | harvest.changes.keys() | harvest.dead.keys())
                self.dropped.superseded += self.pending.drop_all(harvest)
                self.drops_versions = True

    def drop_unchanged(self) -> None:
        """What says the same as the version before it, since another owner told that one; what does not is a change."""
        last = dict[str, bytes]()
        for harvest in self.pending.harvests():
            for key in self.hits.among(harvest.hits.keys()):
                self.pending.was_told(harvest, key)
            changes = [key for key, hit in harvest.changes.items() if not self._changes(key, hit, last)]
            self._drop(harvest, changes=changes)
        self.pending.list_changes()

    def drop_told_gaps(self) -> None:
        """What the ledger's cursor has passed; of a gap that another owner's has reached, the part before it."""
        for harvest in [harvest for harvest in self.pending.harvests() if harvest.gaps]:
            gaps, harvest.gaps = harvest.gaps, []
            for gap in gaps:
                end = harvest.end_of(gap)
                rest = self.cursor.untold(gap, requested=harvest.requested, received=harvest.received, end=end)
                if rest is not None:
                    harvest.gaps.append(rest)
                elif gap in self.in_doubt:
                    self.dropped.gaps.append(gap)

    def _is_told(self, hit: Hit, harvest: Harvest) -> bool:
        version = self.hits.version(hit["conn_id"])
        assert version is not None
        # Of a transaction that was cut the cursor is not there yet, and consumers go by `observed_at`.
        told = version.observed_at >= harvest.observed_at or _is_recovered(version)
        return told or self.cursor.overtook(harvest.requested) >= 0

    def _pass_on(self, harvest: Harvest, keys: AbstractSet[str]) -> None:
        """Rows of a harvest that a snapshot showed again which no other owner has passed are told as that one's.

        It said nothing of them, since they waited; but its cursor says that it did.
        """
        later = defaultdict[Harvest, set[str]](set)
        for key in keys:
            snapshot = self.pending.shown_again(harvest, key)
            if snapshot and self.cursor.overtook(snapshot.requested) < 0 and self._says_more(key, snapshot):
                later[snapshot].add(key)
        for snapshot, again in later.items():
            self.pending.pass_on(again, harvest, snapshot, told=self.hits)

    def _says_more(self, key: str, snapshot: Harvest) -> bool:
        hit, version = self.pending.last(key), self.hits.version(key)
        if hit is None or version is None:
            return True
        told = version.digest == digest(hit) or version.observed_at >= snapshot.observed_at
        return not (told or _is_recovered(version))

    def _changes(self, key: str, hit: Hit, last: dict[str, bytes]) -> bool:
        version = self.hits.version(key)
        if version is None:
            return key in self.pending.hits  # else told and forgotten by another, or its beginning was superseded
        before, last[key] = last.get(key, version.digest), digest(hit)
        return before != last[key]

    def _drop(
        self,
        harvest: Harvest,
        *,
        hits: Collection[str] = (),
        changes: Collection[str] = (),
        dead: Collection[str] = (),
    ) -> None:
        """These the ledger has, from a commit of ours or of another owner."""
        confirmed = [sum(key in self.in_doubt for key in keys) for keys in (hits, changes, dead)]
        self.dropped.confirmed += sum(confirmed)
        self.dropped.confirmed_changed += confirmed[1]
        self.dropped.confirmed_dead += confirmed[2]
        self.dropped.duplicate += self.pending.drop(harvest, hits, changes, dead) - sum(confirmed)
        self.drops_versions |= bool(hits or changes)


def _is_recovered(version: Version) -> bool:
    """Whether another owner found it in other words, beside which these say nothing."""
    return version.digest == NEVER_COMPARED
