"""The last word: what each hit says now, from the events of both topics in any order, however often they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producer.events.headers import TYPES
from producer.events.hit_event import HitChangedEvent, HitEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

_IS_CHANGE = ("ce_type", TYPES["hit_changed"].encode())


class Hits:
    """The hits that were read, each as the report showed it last: give it the records of wolkvox.hits and of
    wolkvox.hits.changes, and ask `now`.

    A record that is delivered again, or too late, changes nothing: of the events of one `server` and `conn_id` the one
    observed last stands, so the order in which the two topics are read does not matter. Observed in the same moment, a
    change stands before the hit it is of, and two changes are the same event: their `ce_id` is made of that moment.

    It holds what it is given, about a kilobyte a hit, until `forget`.
    """

    def __init__(self) -> None:
        self._events: dict[tuple[str, str], HitEvent] = {}

    def read(self, value: bytes | None, headers: Iterable[tuple[str, bytes | None]] | None) -> HitEvent | None:
        """One record of either topic: its event if that is news, else None.

        Raises NotAHit as `HitEvent.decode` does, and then nothing has changed.
        """
        given = list(headers or ())
        kind = HitChangedEvent if _IS_CHANGE in map(tuple, given) else HitEvent
        event = kind.decode(value, given)
        return event if self.add(event) else None

    def add(self, event: HitEvent) -> bool:
        """One event of either topic; whether it is the last word on its hit so far, and was not known."""
        key = (event.server, event.conn_id)
        before = self._events.get(key)
        if before is not None and _rank(event) <= _rank(before):
            return False
        self._events[key] = event
        return True

    def now(self, server: str, conn_id: str) -> HitEvent | None:
        """The hit as it is now; None if nothing was read of it. One that was taken back has an empty `hit`, or none."""
        return self._events.get((server, conn_id))

    def forget(self, before: datetime) -> int:
        """Let go of hits whose last word was observed before a moment; how many.

        A hit leaves the report an hour after it occurred, and nothing more is said of it then. What is forgotten is
        news again to whoever reads its records again.
        """
        old = [key for key, event in self._events.items() if event.observed_at < before]
        for key in old:
            del self._events[key]
        return len(old)

    def __iter__(self) -> Iterator[HitEvent]:
        """All hits as they are now."""
        return iter(self._events.values())

    def __len__(self) -> int:
        return len(self._events)


def _rank(event: HitEvent) -> tuple[datetime, bool]:
    return event.observed_at, isinstance(event, HitChangedEvent)
