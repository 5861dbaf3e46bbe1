"""What time has been covered by snapshots, and what has not (pure).

A snapshot vouches for the time from `received - window` up to the moment its request began. Measured by receipt, a
process that slept with the answer in its socket would hide a gap.
"""

from __future__ import annotations

from collections.abc import Collection, Container
from dataclasses import replace
from math import inf
from typing import Protocol

from producer.clock import Moment, elapsed, rfc3339
from producer.model import Cursor, Gap, GapKind

HOUR = 3600.0
"""The report's title promises an hour: a gap under that reading too is certain."""

CLOCK_SLACK = 1.0
"""Seconds by which the two clocks may drift apart between polls before their difference means a step."""


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
        return elapsed(snapshot.requested, snapshot.received) <= self._window

    def _unpolled(self, snapshot: Answered, present: Container[str]) -> Gap | None:
        if self._requested is None:
            return None
        silent = elapsed(self._requested, snapshot.received)
        if silent <= self._window or any(key in present for key in self._proof):
            return None
        start = self._start(snapshot.received)
        end = snapshot.received.wall - self._window
        return Gap(self._server, start, end, GapKind.UNPOLLED, silent > max(self._window, HOUR))

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


class LedgerCursor:
    """Where the ledger's cursor stands, by both clocks: own commits move it, a re-read finds it."""

    def __init__(self) -> None:
        self._at: Moment | None = None
        self._another: Moment | None = None  # the same, if another owner wrote it
        self._found: Moment | None = None  # when that was read
        self._in_doubt: list[Moment] = []

    def committed(self, requested: Moment | None) -> None:
        """An own transaction succeeded; `requested` is its cursor's, if it had one."""
        self._at = requested or self._at
        self._in_doubt = []

    def doubt(self, requested: Moment | None) -> None:
        """The same, but nobody knows whether it succeeded."""
        self._in_doubt += [] if requested is None else [requested]

    def found(self, cursor: Cursor | None, now: Moment) -> Moment | None:
        """The ledger was read; the cursor's moment if another owner wrote it, or we before a restart."""
        if cursor is None:
            self._at = self._another = None
            return None
        self._at = self._own(cursor)
        if self._at is not None:
            return None
        # The stored time is wall time; this machine's other clock is taken to have run alongside.
        wall = min(cursor.requested, now.wall)
        self._at = self._another = Moment(wall, now.boot - (now.wall - wall))
        self._found = now
        return self._at

    def passes(self, requested: Moment) -> bool:
        """Whether it is as far as a snapshot requested then."""
        return (self._at is not None and requested.boot <= self._at.boot) or self.overtook(requested) >= 0

    def is_behind(self, moment: Moment) -> bool:
        """Whether it is earlier, by whichever clock saw more time go by."""
        return self._at is None or elapsed(self._at, moment) > 0

    def overtook(self, requested: Moment) -> float:
        """Seconds by which another owner's cursor is later than a snapshot requested then; below 0 if it is not."""
        if self._another is None or self._found is None or requested.boot >= self._found.boot:
            return -inf  # what was requested since the ledger was read is later, wherever the wall clock was set
        return elapsed(requested, self._another)

    def rest_of(self, gap: Gap, *, end: Moment, received: Moment) -> Gap:
        """The part of a gap that another owner's cursor has not reached; `end` and `received` are on both clocks.

        What is before that cursor its owner covered or told, and told again it would carry the same `ce_id`.
        """
        if self._another is None:
            return gap
        start = gap.end - elapsed(self._another, end)
        if start < gap.start + 0.001:  # a gap that begins at the very cursor stays as it is
            return gap
        return replace(gap, start=start, certain=gap.certain and elapsed(self._another, received) > HOUR)

    def _own(self, cursor: Cursor) -> Moment | None:
        """The moment of a cursor that we wrote or found before: both its clocks are known, whatever was set since."""
        text = rfc3339(cursor.requested)
        known = (moment for moment in (self._at, *self._in_doubt) if moment is not None)
        return next((moment for moment in known if rfc3339(moment.wall) == text), None)


def observed_text(cursor: Cursor) -> str | None:
    """The cursor's `observed` as the ids in the ledger carry it."""
    return None if cursor.observed is None else rfc3339(cursor.observed)
