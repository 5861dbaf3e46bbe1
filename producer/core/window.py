"""What a source has already told, by id, for as long as the API may still repeat it (pure).

An id stays for `keep` seconds after it was last in a snapshot. The ids of the latest snapshot are one set under one
moment, so a snapshot of 60,000 known rows costs a difference of sets, not 60,000 writes; only those that have left the
report have a moment each, shared by all that left with them.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from producer.clock import Moment, elapsed


class Window:
    """Ids of one kind of one source, each with the moment it was last in a snapshot."""

    def __init__(self, *, keep: float) -> None:
        self._keep = keep
        self._present: set[str] = set()  # told, and in the latest snapshot
        self._latest: Moment | None = None
        self._left: dict[str, Moment] = {}  # told, and last in an earlier one
        self._moments: list[Moment] = []  # the distinct values of _left, and perhaps some that are no longer there

    def __len__(self) -> int:
        return len(self._present) + len(self._left)

    def __contains__(self, key: object) -> bool:
        return key in self._present or key in self._left

    def __iter__(self) -> Iterator[str]:
        yield from self._present
        yield from self._left

    @property
    def present(self) -> Container[str]:
        """Those that were in the latest snapshot: most of the next one too, and quick to ask."""
        return self._present

    def unknown(self, keys: Iterable[str]) -> list[str]:
        """Those of `keys` that are not here, in their order."""
        present, left = self._present, self._left
        if not present and not left:
            return list(keys)
        return [key for key in keys if key not in present and key not in left]

    def among(self, keys: AbstractSet[str]) -> list[str]:
        """Those of `keys` that are here, in no order."""
        return [*(keys & self._present), *(keys & self._left.keys())]

    def touch(self, keys: Collection[str], moment: Moment) -> None:
        """Those of `keys` that are here were in the snapshot of `moment`; unknown ones stay unknown.

        Quickest with a set or a dict: then it looks up those that are here instead of walking through `keys`.
        """
        returned = self._left.keys() & keys
        self._leave(self._present.difference(keys))
        for key in returned:
            del self._left[key]
        self._present.update(returned)
        self._latest = moment

    def remember(self, keys: Collection[str], moment: Moment) -> None:
        """These ids are told, and were in the snapshot of `moment`."""
        if moment is not self._latest:
            self._leave(self._present)
            self._latest = moment
        if self._left:
            for key in self._left.keys() & set(keys):
                del self._left[key]
        self._present.update(keys)

    def expired(self, now: Moment) -> list[str]:
        """Ids last seen `keep` seconds before `now` or earlier; call it only after the rows at hand were matched."""
        if self._latest is not None and elapsed(self._latest, now) >= self._keep:
            self._leave(self._present)
        old = {moment for moment in self._moments if elapsed(moment, now) >= self._keep}
        if not old:
            return []
        found = {key: moment for key, moment in self._left.items() if moment in old}
        # In a steady stream some id expires at each poll: what no id has any more must go all the same.
        gone = old.difference(found.values())
        self._moments = [moment for moment in self._moments if moment not in gone]
        return list(found)

    def forget(self, keys: Iterable[str]) -> None:
        """Let these ids go; the next time one is seen it is new."""
        for key in keys:
            self._present.discard(key)
            self._left.pop(key, None)

    def restore(self, ids: Mapping[str, str], seen: Mapping[str, Moment]) -> None:
        """Become exactly `ids`: one that was here keeps its moment, any other was last seen at `seen` of its value."""
        self._leave(self._present)
        left = self._left
        self._left = {key: left.get(key) or seen[value] for key, value in ids.items()}
        self._moments += seen.values()

    def clear(self) -> None:
        """Forget everything: the shard went elsewhere."""
        self._present, self._latest = set(), None
        self._left, self._moments = {}, []

    def _leave(self, keys: Iterable[str]) -> None:
        """These of the latest snapshot are in the present one no more."""
        if self._latest is not None and (leaving := list(keys)):
            self._left.update(dict.fromkeys(leaving, self._latest))
            self._present.difference_update(leaving)
            self._moments.append(self._latest)
