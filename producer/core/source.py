"""One source's whole state: what is told, what waits for Kafka, what time is covered (pure; one poller owns it).

    snapshot --unseen--> new rows --add--> pending --take--> a transaction --settle--> window
                                             ^--------- nothing is lost --------'

Memory changes only in `settle`, after the commit. Nothing here awaits, so a check and the take that relies on it can't
be torn apart.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache, partial

from producer.clock import Moment, elapsed, parse_rfc3339
from producer.core.comparison import Comparison, KnownRows, changes
from producer.core.coverage import Coverage
from producer.core.cursor import LedgerCursor, observed_text
from producer.core.harvest import Harvest, Portion
from producer.core.healing import Healing
from producer.core.ledger import changed_key
from producer.core.pending import Pending
from producer.core.settlement import Settlement
from producer.core.taken import Taken, Written
from producer.core.window import Window
from producer.model import (
    REPORT_REACH,
    DeadRow,
    Dropped,
    Entry,
    Gap,
    Hit,
    RawRow,
    Row,
    Rows,
    Snapshot,
    SourceFold,
)


class Source:
    """The state of one source. `keep` is DEDUP_WINDOW, `window` WOLKVOX_WINDOW, `heal_after` RECOVER_DELAY (None: gaps
    are not healed, and those that wait are given up), all in seconds."""

    def __init__(self, *, server: str, keep: float, window: float, heal_after: float | None = None) -> None:
        self.server = server
        self.held = False
        """Whether a shard of ours polls it."""
        self._keep = keep
        self._window = window
        self.hits = Window(keep=keep)
        self.dead = Window(keep=keep)
        self.coverage = Coverage(server=server, window=window)
        self.pending = Pending()
        self.healing = Healing(delay=heal_after)
        self._cursor = LedgerCursor()
        self._latest: Moment | None = None
        self._moved: Moment | None = None
        self._shown = 0
        self._in_doubt: set[str | Gap] = set()
        self._comparison = Comparison()
        self._reread = False  # whether what waits may be told, or begun, by another

    def unseen(self, rows: Rows) -> dict[str, Row | RawRow]:
        """The rows with an id that is neither told nor waiting, in the order sent. Changes nothing."""
        waiting, found = self.pending.hits, rows.hits
        keys = self.hits.unknown(found if rows.fresh is None else rows.fresh)
        if waiting:
            keys = [key for key in keys if key not in waiting]
        return found if len(keys) == len(found) else {key: found[key] for key in keys}

    def parsed_only(self, snapshot: Snapshot) -> bool:
        """Whether only the rows that were parsed can be new. Changes nothing."""
        return self._comparison.parsed_only(snapshot)

    def known(self, snapshot: Snapshot, rows: Rows) -> KnownRows:
        """The rows that may say otherwise what is told, or waits: to be read, and then asked about with `changes`."""
        follows = self.coverage.follows(snapshot)
        return self._comparison.known(snapshot, rows, follows=follows, told=self.hits, pending=self.pending)

    def changes(self, again: Sequence[Mapping[str, Hit]], said: Sequence[Mapping[str, bytes]]) -> dict[str, Hit]:
        """Which of the known rows, read and digested, do. Changes nothing."""
        return changes(again, said, told=self.hits, pending=self.pending)

    def new_dead(self, dead: Mapping[str, DeadRow]) -> dict[str, DeadRow]:
        """Those of the dead rows that are neither told nor waiting. Changes nothing."""
        return {key: row for key, row in dead.items() if key not in self.dead and key not in self.pending.dead}

    def stands_still(self, snapshot: Snapshot, rows: Rows, new: Collection[str]) -> bool:
        """Whether the report has shown the same hits for longer than it surely reaches back; asked once a snapshot."""
        if new or len(rows.hits) != self._shown:
            self._shown, self._moved = len(rows.hits), snapshot.received
        moved = self._moved or snapshot.received
        return self._shown > 0 and elapsed(moved, snapshot.received) > self._window

    def add(
        self,
        snapshot: Snapshot,
        rows: Rows,
        *,
        hits: dict[str, Hit],
        dead: dict[str, DeadRow],
        changes: dict[str, Hit] | None = None,
    ) -> Harvest:
        """Take the snapshot: known ids count as seen, what is new waits for Kafka, its time is covered.

        `hits` are the unseen rows that became events, `dead` all dead rows of the snapshot, told or not.
        """
        self._comparison.taken(snapshot, rows, dead)
        self._reread |= not self._comparison.holds
        self.hits.touch(rows.hits.keys(), snapshot.received)
        self.dead.touch(dead.keys(), snapshot.received)
        begins = not self.coverage.begun
        shown = (rows.hits.keys(), dead.keys()) if self.coverage.follows(snapshot) else ()
        harvest = Harvest(
            requested=snapshot.requested,
            received=snapshot.received,
            observed_at=snapshot.received.rfc3339(),
            hits=hits,
            changes=changes or {},
            dead=self.new_dead(dead),
            gaps=self.coverage.gaps(snapshot, rows.hits),
            cursor=self.coverage.advance(snapshot, hits),
            truncated=snapshot.truncated,
            begins=begins,
        )
        self.pending.add(harvest, *shown)
        self._latest = snapshot.received
        return harvest

    def take(self, room: int, dropped: Dropped) -> Taken:
        """What goes into a transaction, checked now; nothing leaves memory before `settle`.

        At most `room` rows, and as many entries to forget; what is left over goes with the next.
        """
        self._settle_waiting(dropped)
        portions = list(self.pending.portions(room))
        done = [portion.harvest for portion in portions if portion.last]
        newest = next(
            (harvest for harvest in reversed(done) if harvest.cursor and not self._cursor.passes(harvest.requested)),
            None,
        )
        forgotten = self._expired(newest)[:room]
        gaps = [(gap, harvest.observed_at) for harvest in done for gap in harvest.gaps]
        tombstones = [key for entry in forgotten for key in self._keys_of(entry)]
        return Taken(
            server=self.server,
            portions=portions,
            gaps=gaps,
            opened=self.healing.opened(gaps),
            cursor=newest.cursor if newest else None,
            cursor_at=newest.requested if newest else None,
            first_observed=self._first_observed(portions),
            forgotten=forgotten,
            tombstones=[*tombstones, *self.healing.tombstones()],
        )

    def settle(self, taken: Taken, written: Written) -> None:
        """The transaction is committed: remember what it told, forget what it let go."""
        assert self._latest is not None
        self.hits.remember(written.hits, self._latest)
        self.hits.amend(written.changed)
        self.dead.remember(written.dead, self._latest)
        self.healing.settle(taken)
        for portion in taken.portions:
            self.pending.settle(portion, written.recovery)
        self.hits.forget(taken.forgotten)
        self.dead.forget(taken.forgotten)
        self._cursor.committed(taken.cursor_at)
        self._in_doubt = set()

    def doubt(self, taken: Taken) -> None:
        """The transaction's outcome is unknown; the ledger will tell."""
        for portion in taken.portions:
            self._in_doubt.update(portion.ids)
            self._in_doubt.update(hit["conn_id"] for hit in portion.changes)
            self._in_doubt.update(row.key for row in portion.dead)
        self._in_doubt.update(gap for gap, _ in taken.gaps)
        self._cursor.doubt(taken.cursor_at)

    def misses(self, fold: SourceFold) -> bool:
        """Whether a ledger lacks the cursor that this process committed to it, or found there."""
        return fold.cursor is None and self._cursor.stands

    def restore(self, fold: SourceFold, now: Moment) -> bool:
        """Become what the ledger says, keeping what waits; False if the ledger's cursor is ahead of our clock."""
        self.held = True
        self.pending.withdraw()
        self.healing.restore(fold.gaps)
        self._comparison.begin_again()
        self._reread = True
        last_seen = cache(partial(_last_seen, now=now))  # many entries are of one snapshot
        self.hits.restore(fold.hits, lambda entry: last_seen(entry.observed_at), fold.changed, fold.by_id)
        self.dead.restore(fold.dead, lambda entry: last_seen(entry.observed_at))
        self._latest = self._latest or now
        another = self._cursor.found(fold.cursor, now)
        if fold.cursor is None:
            return True
        if another is not None:
            carried = observed_text(fold.cursor)
            proof = frozenset[str]() if carried is None else self.hits.carrying(carried)
            self._follow_on(another, observed=fold.cursor.observed, proof=proof)
            self.coverage.restore(another, observed=fold.cursor.observed, proof=proof)
        return fold.cursor.requested <= now.wall

    def release(self) -> None:
        """The shard went elsewhere: what is told is the next owner's; what waits stays, in case it comes back."""
        self.held = False
        self.pending.withdraw()
        self.healing.clear()
        self._comparison.begin_again()
        self.hits.clear()
        self.dead.clear()

    def let_go(self, dropped: Dropped) -> None:
        """Forget what waits and how far it was covered, as a process that starts: the ledger's cursor says the rest.

        Only while it is not held. Without its rows its coverage would hide the time that they are missing from.
        """
        dropped.elsewhere += len(self.pending)
        self.pending, self._cursor = Pending(), LedgerCursor()
        self.coverage = Coverage(server=self.server, window=self._window)
        self._latest, self._in_doubt = None, set()

    def _follow_on(self, another: Moment, *, observed: float | None, proof: frozenset[str]) -> None:
        """What waits was the beginning, and now another owner's was before it: what lies between them is a gap."""
        before = Coverage(server=self.server, window=self._window)
        before.restore(another, observed=observed, proof=proof)
        for harvest in self.pending.harvests():
            if harvest.begins and harvest.cursor and elapsed(another, harvest.requested) > 0:
                harvest.gaps, harvest.begins = before.gaps(harvest, harvest.hits), False

    def _keys_of(self, entry: Entry) -> list[bytes]:
        return [entry.key, *(changed_key(self.server, key) for key in self.hits.changed_of(entry))]

    def _expired(self, newest: Harvest | None) -> list[Entry]:
        """What may be let go. Not what has a change in hand: its record would outlive it."""
        wanted = self.hits.of(self.pending.changes)
        return [one for window in (self.hits, self.dead) for one in _expired(window, newest) if one not in wanted]

    def _first_observed(self, portions: Sequence[Portion]) -> Mapping[str, str]:
        found = dict[str, str]()
        for key in {hit["conn_id"] for portion in portions for hit in portion.changes}:
            waiting = (portion.harvest.observed_at for portion in portions if key in portion.harvest.hits)
            found[key] = self.hits.first_observed(key) or next(waiting)
        return found

    def _settle_waiting(self, dropped: Dropped) -> None:
        look = Settlement(self.hits, self.dead, self.pending, self._cursor, self._in_doubt, dropped)
        reread = self._reread or bool(self.hits.among(self.pending.hits.keys()))
        if reread or self.dead.among(self.pending.dead):
            look.drop_told()
        look.drop_told_gaps()
        look.drop_superseded(after=self._keep / 2)
        if reread:
            look.drop_unchanged()
        if look.drops_versions:
            self._comparison.begin_again()
        self._reread = False


def _expired(window: Window, newest: Harvest | None) -> list[Entry]:
    """What may be let go: measured at the cursor's snapshot, whose rows and all older ones' were matched.

    Not ahead of it: an owner who finds an id gone must find a cursor that supersedes what he has of that time.
    """
    return [] if newest is None else window.expired(newest.received)


def _last_seen(observed_at: str, *, now: Moment) -> Moment:
    """When an id of the ledger was last in a snapshot, at the latest; its present owner is the first to look again.

    Taken as just seen at each restore, ids would stay for ever where owners change more often than DEDUP_WINDOW.
    """
    try:
        wall = min(now.wall, parse_rfc3339(observed_at) + REPORT_REACH)
    except ValueError:
        return now
    return Moment(wall, now.boot - (now.wall - wall))
