"""What a snapshot says of hits that are told, or wait: is it what was last told, or the last that waits (pure)?

Most rows are known by their bytes, and those nobody parsed. They read as in the answer before; so if all rows of that
one were compared, there is nothing to ask. If not (a shard was taken, a poll failed, a version was dropped), every row
is read and compared once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from producer.core.digests import NEVER_COMPARED, same
from producer.core.pending import Pending
from producer.core.window import Window
from producer.model import Hit, RawRow, Row, Rows, Snapshot

KnownRows = list[dict[str, Row | RawRow]]


class Comparison:
    """Up to which answer one source's rows were compared."""

    def __init__(self) -> None:
        self._compared: int | None = None
        self._before: int | None = None
        self._all_known = False
        self.holds = False
        """Whether nothing was told or dropped by others since `known` was asked."""

    def parsed_only(self, snapshot: Snapshot) -> bool:
        """Whether each row that is not parsed again is of a hit that is told or waits: so were all of the last rows."""
        return self._all_known and self._follows_the_last(snapshot)

    def known(self, snapshot: Snapshot, rows: Rows, *, follows: bool, told: Window, pending: Pending) -> KnownRows:
        """The rows of known ids that have to be read, and what else the report says of these ids.

        An answer that does not follow the last one, from a cache, has nothing to say of them.
        """
        raw_is_known = self._follows_the_last(snapshot)
        self._before, self._compared = self._compared, None
        self.holds = follows
        if not follows or not (told or pending.hits):
            return []
        names = rows.hits if rows.parsed is None or not raw_is_known else rows.parsed
        ids, waiting = told.known, pending.hits
        found = {name: rows.hits[name] for name in names if name in ids or name in waiting}
        return [found, *({name: row for name, row in more.items() if name in found} for more in rows.further)]

    def taken(self, snapshot: Snapshot, rows: Rows, dead: Collection[str]) -> None:
        """The snapshot was taken, its changes wait; `dead` are its rows that are no hits, which are read each time.

        An id that it shows twice is compared each time: nobody notes which of its rows was like what was told. One
        without rows says nothing, and may have the number of an answer that nobody took.
        """
        compared = snapshot.answer if rows.hits else self._before
        self._compared = compared if self.holds and not rows.repeated else None
        if snapshot.rows:
            self._all_known = not dead and len(rows.hits) == len(snapshot.rows)

    def begin_again(self) -> None:
        """What is told or waits is no longer what the last answer was compared with."""
        self._compared, self.holds = None, False

    def _follows_the_last(self, snapshot: Snapshot) -> bool:
        return self._compared == snapshot.answer - 1


def changes(
    again: Sequence[Mapping[str, Hit]], said: Sequence[Mapping[str, bytes]], *, told: Window, pending: Pending
) -> dict[str, Hit]:
    """What reads otherwise than it was last told, or waits to be; `said` has the digest of each.

    Of an id that the report shows several times the first row counts, and none if one of them is as it was told: a
    report that repeats rows in any order would change for ever. What was recovered never changes: the reports that it
    is from write the same in other words.
    """
    if not again:
        return {}
    digests, changed = told.digests(again[0]), dict[str, Hit]()
    for key, hit in again[0].items():
        last = pending.last(key)
        if last is not None:
            unchanged = any(same(last, hits[key]) for hits in again if key in hits) or pending.recovers(key)
        else:
            # One that is told no more was forgotten since it was asked for: the next snapshot shows it as new.
            unchanged = (
                key not in told or any(digests[key] == one.get(key) for one in said) or digests[key] == NEVER_COMPARED
            )
        if not unchanged:
            changed[key] = hit
    return changed
