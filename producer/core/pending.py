"""What waits for Kafka: per snapshot what it brought, oldest first (pure).

Rows stay here until the transaction that carries them is committed, so a failed one loses nothing and a hit that left
the API's window meanwhile is published all the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Container, Iterator
from collections.abc import Set as AbstractSet

from producer.clock import elapsed
from producer.core.harvest import Harvest, Portion, Recovery
from producer.model import Hit


class Pending:
    """The queue of one source's harvests, with their ids for a quick look."""

    def __init__(self) -> None:
        self._queue: deque[Harvest] = deque()
        self.hits: dict[str, Hit] = {}
        self.changes: dict[str, Hit] = {}
        """Of each id the last version that waits; `hits` has the first."""
        self.dead: set[str] = set()
        self.recovered: Harvest | None = None
        """What waits of rows that no snapshot showed; of one gap at a time."""
        self._changes = 0
        self._shown: dict[str, Harvest] = {}  # of ids whose last version waits, the last snapshot that showed it again

    def __len__(self) -> int:
        """Rows that wait."""
        return len(self.hits) + self._changes + len(self.dead)

    def __bool__(self) -> bool:
        """Whether anything waits, be it only a cursor."""
        return bool(self._queue)

    def add(self, harvest: Harvest, *shown: AbstractSet[str]) -> None:
        """Queue behind all older ones; none of its ids may wait already. Of ids `shown` that wait it says nothing new.

        A quiet one takes the place of a quiet one before it, whose cursor it passes: a day without Kafka and without
        hits would be 86,400 of them (53 MB). Not that of a beginning, which may have a gap yet, up to its own receipt.
        """
        if harvest.is_quiet:
            if harvest.cursor is None:
                return
            if self._queue and self._queue[-1].is_quiet and not self._queue[-1].begins:
                self._queue.pop()
        self._queue.append(harvest)
        self._note(harvest, *shown)
        self.recovered = harvest if harvest.recovery else self.recovered
        self._wait(harvest)

    def _wait(self, harvest: Harvest) -> None:
        self.hits |= harvest.hits
        self.changes |= harvest.changes
        self.dead |= harvest.dead.keys()
        self._changes += len(harvest.changes)

    def last(self, key: str) -> Hit | None:
        """The last version of a hit that waits."""
        return self.changes.get(key) or self.hits.get(key)

    def _note(self, harvest: Harvest, *shown: AbstractSet[str]) -> None:
        waiting = self.hits.keys() | self.changes.keys() | self.dead
        for key in self._shown.keys() - waiting:
            del self._shown[key]
        for keys in shown:
            self._shown.update(dict.fromkeys(keys & waiting, harvest))
        for key in self._shown.keys() & harvest.changes.keys():
            del self._shown[key]

    def shown_again(self, harvest: Harvest, key: str) -> Harvest | None:
        """The last snapshot that showed a row as it is in this harvest; None if none did since, or if a later one has
        the hit otherwise."""
        if key in harvest.dead:
            return self._shown.get(key)
        has = harvest.changes.get(key) or harvest.hits.get(key)
        return self._shown.get(key) if has is self.last(key) else None

    def pass_on(self, keys: AbstractSet[str], harvest: Harvest, snapshot: Harvest, *, told: Container[str]) -> None:
        """Let these wait as a snapshot showed them again, and not as this harvest did: before any cursor that passes
        that. They are changes if they are `told`."""
        hits, changes = dict[str, Hit](), dict[str, Hit]()
        for key, hit in [*harvest.hits.items(), *harvest.changes.items()]:
            if key in keys:
                (changes if key in told else hits)[key] = {**hit, "observed_at": snapshot.observed_at}
        dead = {key: row for key, row in harvest.dead.items() if key in keys}
        self.drop(harvest, keys & harvest.hits.keys(), keys & harvest.changes.keys(), dead)
        later = snapshot.only(hits=hits, changes=changes, dead=dead)
        places = (place for place, one in enumerate(self._queue) if elapsed(later.requested, one.requested) >= 0)
        self._queue.insert(next(places, len(self._queue)), later)
        self._wait(later)

    def recovers(self, key: str) -> bool:
        """Whether it is a hit that waits and that no snapshot has shown."""
        return self.recovered is not None and key in self.recovered.hits

    def drop(
        self, harvest: Harvest, hits: Collection[str] = (), changes: Collection[str] = (), dead: Collection[str] = ()
    ) -> int:
        """These rows of a harvest need to wait no longer; how many they were."""
        for waiting in (self.hits, harvest.hits):
            if len(hits) == len(waiting):
                waiting.clear()  # nearly always: all that waits was told
            else:
                for key in hits:
                    del waiting[key]
        for key in changes:
            if harvest.changes.pop(key) is self.changes.get(key):
                del self.changes[key]
                self._shown.pop(key, None)
        for key in dead:
            del harvest.dead[key]
        self.dead.difference_update(dead)
        self._changes -= len(changes)
        return len(hits) + len(changes) + len(dead)

    def drop_all(self, harvest: Harvest) -> int:
        """No row of a harvest needs to wait any longer; how many they were."""
        return self.drop(harvest, list(harvest.hits), list(harvest.changes), list(harvest.dead))

    def withdraw(self) -> None:
        """What was recovered waits no longer: it was judged by what was known of the topic then."""
        if (harvest := self.recovered) is not None:
            self.drop_all(harvest)
            self._remove(harvest)

    def was_told(self, harvest: Harvest, key: str) -> None:
        """A hit that was new to this harvest was told by another: if it reads otherwise here, it is a change."""
        harvest.changes[key] = self.hits.pop(key)
        del harvest.hits[key]
        self._changes += 1

    def list_changes(self) -> None:
        """Find the last versions again, after some were dropped or became changes."""
        self.changes.clear()
        for harvest in self._queue:
            self.changes |= harvest.changes

    def portions(self, room: int) -> Iterator[Portion]:
        """The oldest harvests, up to `room` rows; one that does not fit whole is cut and ends the row of them."""
        for harvest in self._queue:
            ids, hits = list(harvest.hits)[:room], list(harvest.hits.values())[:room]
            changes = list(harvest.changes.values())[: room - len(hits)]
            dead = list(harvest.dead.values())[: room - len(hits) - len(changes)]
            last = len(hits) + len(changes) + len(dead) == harvest.rows
            portion = Portion(harvest, ids, hits, changes, dead, last)
            yield portion
            room -= portion.rows
            if not portion.last:
                return

    def settle(self, portion: Portion, recovery: Recovery | None = None) -> None:
        """What the portion carried is on Kafka; `recovery` is its harvest's, with what it carried counted."""
        if portion.harvest not in self._queue:
            return  # a later one took its place while it was committed, or all was let go
        changes, dead = [hit["conn_id"] for hit in portion.changes], [row.key for row in portion.dead]
        self.drop(portion.harvest, portion.ids, changes, dead)
        if portion.last:
            self._remove(portion.harvest)
        elif portion.harvest.recovery is not None:
            portion.harvest.recovery = recovery

    def _remove(self, harvest: Harvest) -> None:
        self._queue.remove(harvest)
        self.recovered = None if harvest is self.recovered else self.recovered

    def harvests(self) -> Iterator[Harvest]:
        """All that wait, oldest first."""
        return iter(self._queue)
