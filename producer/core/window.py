"""What a source has already told, by id, for as long as the API may still repeat it (pure).

Ids that one transaction told of one snapshot are one entry, as in the ledger. They show in the report and leave it
about together, so the entry has the moment at which any of them was last in a snapshot, and all go `keep` seconds after
that: an id stays a little longer for the company it keeps, never shorter, and memory is the ledger's fold at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import chain, repeat
from types import MappingProxyType

from producer.clock import Moment, elapsed
from producer.core.digests import SIZE, each
from producer.model import Entry, Version

NOTHING: Mapping[str, Version] = MappingProxyType({})


class Window:
    """Ids of one kind of one source, by the entries that tell them."""

    def __init__(self, *, keep: float) -> None:
        self._keep = keep
        self._told: dict[str, Entry] = {}
        self._seen: dict[Entry, Moment] = {}
        self._changed: dict[str, Version] = {}

    def __len__(self) -> int:
        return len(self._told)

    def __contains__(self, key: object) -> bool:
        return key in self._told

    def __iter__(self) -> Iterator[str]:
        return iter(self._told)

    @property
    def known(self) -> Container[str]:
        """All ids, quick to ask."""
        return self._told

    def unknown(self, keys: Iterable[str]) -> list[str]:
        """Those of `keys` that are not here, in their order."""
        told = self._told
        return [key for key in keys if key not in told] if told else list(keys)

    def among(self, keys: AbstractSet[str]) -> list[str]:
        """Those of `keys` that are here, in no order."""
        return list(keys & self._told.keys())

    def touch(self, keys: AbstractSet[str], moment: Moment) -> None:
        """Those of `keys` that are here were in the snapshot of `moment`; unknown ones stay unknown."""
        self._seen.update(dict.fromkeys(self._shown(keys), moment))

    def _shown(self, keys: AbstractSet[str]) -> Iterable[Entry]:
        """The entries that tell any of `keys`, by whichever are fewer: an entry's first id is often enough to know."""
        if len(self._seen) < len(keys):
            return [entry for entry in self._seen if not keys.isdisjoint(entry.ids)]
        return self.of(keys)

    def remember(self, entries: Iterable[Entry], moment: Moment) -> None:
        """These are told, and were in the snapshot of `moment`."""
        for entry in entries:
            self._told.update(zip(entry.ids, repeat(entry)))
            self._seen[entry] = moment

    def amend(self, changed: Mapping[str, Version]) -> None:
        """These were told anew, and otherwise."""
        self._changed.update(changed)

    def version(self, key: str) -> Version | None:
        """What was last told of an id."""
        entry = self._told.get(key)
        if entry is None:
            return None
        if (changed := self._changed.get(key)) is not None:
            return changed
        place = SIZE * entry.ids.index(key)
        return Version(entry.digests[place : place + SIZE], entry.observed_at)

    def digests(self, keys: Collection[str]) -> dict[str, bytes]:
        """The digests of what was last told, of all of `keys` that are here and perhaps of others."""
        asked = set(map(self._told.get, keys))
        found: dict[str, bytes] = {}
        for entry in filter(asked.__contains__, self._seen):  # in the order told: the later counts
            found.update(zip(entry.ids, each(entry.digests), strict=True))
        found.update((key, version.digest) for key, version in self._changed.items())
        return found

    def first_observed(self, key: str) -> str | None:
        """The `observed_at` of what was first told of an id."""
        entry = self._told.get(key)
        return None if entry is None else entry.observed_at

    def of(self, keys: Iterable[str]) -> set[Entry]:
        """The entries that tell of those of `keys` that are here."""
        return {entry for key in keys if (entry := self._told.get(key)) is not None}

    def changed_of(self, entry: Entry) -> list[str]:
        """The ids of an entry that were told anew."""
        return [key for key in entry.ids if key in self._changed and self._told.get(key) is entry]

    def expired(self, now: Moment) -> list[Entry]:
        """What was last seen `keep` seconds before `now` or earlier; ask only after the rows at hand were matched."""
        old = {moment for moment in set(self._seen.values()) if elapsed(moment, now) >= self._keep}
        return [entry for entry, moment in self._seen.items() if moment in old] if old else []

    def forget(self, entries: Iterable[Entry]) -> None:
        """Let these go: the next time one of their ids is seen it is new, unless a later entry tells it too."""
        told = self._told
        for entry in entries:
            self._seen.pop(entry, None)
            for key in entry.ids:
                if told.get(key) is entry:
                    del told[key]
                    self._changed.pop(key, None)

    def restore(
        self,
        entries: Iterable[Entry],
        seen: Callable[[Entry], Moment],
        changed: Mapping[str, Version] = NOTHING,
        told: dict[str, Entry] | None = None,
    ) -> None:
        """Become exactly `entries`, and what `changed` of them; `told` is what `by_id` makes of them, if that is done.

        One that was here keeps its moment, any other was last seen when `seen` says.
        """
        entries = list(entries)
        before = {entry.key: moment for entry, moment in self._seen.items()}
        self._seen = {entry: before.get(entry.key) or seen(entry) for entry in entries}
        self._told = by_id(entries) if told is None else told
        self._changed = dict(changed)

    def clear(self) -> None:
        """Forget everything: the shard went elsewhere."""
        self._told, self._seen, self._changed = {}, {}, {}

    def carrying(self, observed_at: str) -> frozenset[str]:
        """The ids that were first seen then."""
        return frozenset(chain.from_iterable(entry.ids for entry in self._seen if entry.observed_at == observed_at))


def by_id(entries: Iterable[Entry]) -> dict[str, Entry]:
    """The entry of each id: the last one that tells it."""
    found: dict[str, Entry] = {}
    for entry in entries:
        found.update(zip(entry.ids, repeat(entry)))
    return found
