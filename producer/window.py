"""What a source has already told, by id, for as long as the API may still repeat it (pure).

An id stays for `keep` seconds after it was last in a snapshot. All ids of one snapshot share one Moment object, so an
id costs its text and one dict entry, and expiry compares a handful of moments instead of every id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, KeysView

from producer.clock import Moment, elapsed


class Window:
    """Ids of one kind of one source, each with the moment it was last in a snapshot."""

    def __init__(self, *, keep: float) -> None:
        self._keep = keep
        self._seen: dict[str, Moment] = {}
        self._moments: list[Moment] = []  # the distinct values of _seen, and perhaps some that are no longer there

    def __len__(self) -> int:
        return len(self._seen)

    def __contains__(self, key: object) -> bool:
        return key in self._seen

    def __iter__(self) -> Iterator[str]:
        return iter(self._seen)

    def keys(self) -> KeysView[str]:
        """The ids, as a set-like view."""
        return self._seen.keys()

    def touch(self, keys: KeysView[str], moment: Moment) -> None:
        """Those of `keys` that are here were in the snapshot of `moment`; unknown ones stay unknown."""
        self.remember(self._seen.keys() & keys, moment)

    def remember(self, keys: Iterable[str], moment: Moment) -> None:
        """These ids are told, and were in the snapshot of `moment`."""
        self._seen.update(dict.fromkeys(keys, moment))
        if not self._moments or self._moments[-1] is not moment:
            self._moments.append(moment)

    def expired(self, now: Moment) -> list[str]:
        """Ids last seen `keep` seconds before `now` or earlier; call it only after the rows at hand were matched."""
        old = {moment for moment in self._moments if elapsed(moment, now) >= self._keep}
        if not old:
            return []
        found = {key: moment for key, moment in self._seen.items() if moment in old}
        # In a steady stream some id expires at each poll: what no id has any more must go all the same.
        gone = old.difference(found.values())
        self._moments = [moment for moment in self._moments if moment not in gone]
        return list(found)

    def forget(self, keys: Iterable[str]) -> None:
        """Let these ids go; the next time one is seen it is new."""
        for key in keys:
            self._seen.pop(key, None)

    def restore(self, keys: Collection[str], now: Moment) -> None:
        """Become exactly `keys`: an id that was here keeps its moment, any other counts as just seen."""
        seen = self._seen
        self._seen = {key: seen.get(key, now) for key in keys}
        self._moments = [*self._moments, now]

    def clear(self) -> None:
        """Forget everything: the shard went elsewhere."""
        self._seen = {}
        self._moments = []
