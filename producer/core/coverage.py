"""What time has been covered by snapshots, and what has not (pure).

A snapshot vouches for the time from `received - window` up to the moment its request began, less its age in a cache.
Measured by receipt, a process that slept with the answer in its socket would hide a gap.
"""

from __future__ import annotations

from collections.abc import Collection, Container
from typing import Protocol

from producer.clock import CLOCK_SLACK, Moment, elapsed
from producer.model import REPORT_REACH, Cursor, Gap, GapKind


class Answered(Protocol):
    """What it needs to know of a snapshot."""

    @property
    def requested(self) -> Moment: ...
    @property
    def received(self) -> Moment: ...
    @property
    def truncated(self) -> bool: ...


class Coverage:
    """How far one source is covered, poll by poll; the ledger's cursor carries it across restarts."""

    def __init__(self, *, server: str, window: float) -> None:
        self._server = server
        self._window = window
        self._requested: Moment | None = None  # when the last vouching request began
        self._observed: float | None = None  # receipt of the last vouching snapshot with new ids
        self._proof: Collection[str] = ()

    @property
    def begun(self) -> bool:
        """Whether any time is covered."""
        return self._requested is not None

    def gaps(self, snapshot: Answered, present: Container[str]) -> list[Gap]:
        """The gaps that this snapshot reveals; `present` are its ids. Changes nothing."""
        if not self._vouches(snapshot):
            return []  # no cursor passes it, so no gap may go with it: the next one that vouches tells what is missing
        unpolled = self._unpolled(snapshot, present)
        truncated = self._truncated(snapshot) if snapshot.truncated else None
        return [gap for gap in (unpolled, truncated) if gap is not None]

    def advance(self, snapshot: Answered, new: Collection[str]) -> Cursor | None:
        """Take the snapshot as covered; `new` are the ids it showed first. None if it vouches for nothing."""
        if not self._vouches(snapshot):
            return None
        self._requested = snapshot.requested
        if new:
            self._observed = snapshot.received.wall
            self._proof = frozenset(new)
        return Cursor(snapshot.requested.wall, self._observed)

    def follows(self, snapshot: Answered) -> bool:
        """Whether it was asked for no earlier than the last one: a cache may give an answer that is older."""
        return self._requested is None or elapsed(self._requested, snapshot.requested) >= 0

    def restore(self, requested: Moment, *, observed: float | None, proof: Collection[str]) -> None:
        """Go on from the ledger's cursor unless memory is further; `proof` are the ids that carry its `observed`."""
        if self._requested is None or elapsed(self._requested, requested) > 0:
            self._requested = requested
            self._observed = observed
            self._proof = proof

    def seconds_until_loss(self, now: Moment) -> float | None:
        """Seconds until hits may leave the report unseen, below 0 since when; None before the first snapshot."""
        return None if self._requested is None else self._window - elapsed(self._requested, now)

    def _vouches(self, snapshot: Answered) -> bool:
        """An answer that is older than the last one takes back nothing and adds nothing."""
        return self.follows(snapshot) and elapsed(snapshot.requested, snapshot.received) <= self._window

    def _unpolled(self, snapshot: Answered, present: Container[str]) -> Gap | None:
        if self._requested is None:
            return None
        silent = elapsed(self._requested, snapshot.received)
        if silent <= self._window or any(key in present for key in self._proof):
            return None
        start = self._start(snapshot.received)
        end = snapshot.received.wall - self._window
        return Gap(self._server, start, end, GapKind.UNPOLLED, silent > max(self._window, REPORT_REACH))

    def _start(self, later: Moment) -> float:
        """The last vouched moment on the wall clock of `later`, also if that was set back since."""
        assert self._requested is not None
        silent = elapsed(self._requested, later)
        by_wall = later.wall - self._requested.wall
        return self._requested.wall if silent - by_wall < CLOCK_SLACK else later.wall - silent

    def _truncated(self, snapshot: Answered) -> Gap:
        requested = snapshot.requested
        start = snapshot.received.wall - self._window if self._requested is None else self._start(requested)
        end = requested.wall
        return Gap(self._server, min(start, end), end, GapKind.TRUNCATED, certain=False)
