"""Where the ledger's cursor of one source stands, as far as this instance knows (pure)."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from producer.clock import CLOCK_SLACK, Moment, elapsed, rfc3339
from producer.model import REPORT_REACH, Cursor, Gap


class LedgerCursor:
    """Where the ledger's cursor stands, by both clocks: own commits move it, a re-read finds it."""

    def __init__(self) -> None:
        self._at: Moment | None = None
        self._another: Moment | None = None  # the same, if another owner wrote it
        self._found: Moment | None = None  # when that was read
        self._written = -inf  # and its time as it was written, by the other's wall clock
        self._in_doubt: list[Moment] = []

    @property
    def stands(self) -> bool:
        """Whether there is one, as far as we know."""
        return self._at is not None

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
        self._found, self._written = now, cursor.requested
        return self._at

    def passes(self, requested: Moment) -> bool:
        """Whether it is as far as a snapshot requested then."""
        return (self._at is not None and requested.boot <= self._at.boot) or self.overtook(requested) >= 0

    def overtook(self, requested: Moment) -> float:
        """Seconds by which another owner's cursor is later than a snapshot requested then; below 0 if it is not."""
        if self._another is None or self._found is None or requested.boot >= self._found.boot:
            return -inf  # what was requested since the ledger was read is later, wherever the wall clock was set
        return elapsed(requested, self._another)

    def untold(self, gap: Gap, *, requested: Moment, end: Moment, received: Moment) -> Gap | None:
        """The part of a snapshot's gap that the cursor has not reached, None if it has passed snapshot or gap.

        What is before another owner's cursor he covered or told, and told again it would carry the same `ce_id`.
        """
        if self.passes(requested) or (self._at is not None and elapsed(self._at, end) <= 0):
            return None
        return self._rest_of(gap, end=end, received=received)

    def _rest_of(self, gap: Gap, *, end: Moment, received: Moment) -> Gap:
        if self._another is None:
            return gap
        start = gap.end - elapsed(self._another, end)
        if gap.start < self._written < gap.end and self._was_set_since(received):
            # By the wall clocks as they were it lies within; only the way back from now, by one that was set, misleads.
            start = self._written
        if start < gap.start + 0.001:  # a gap that begins at the very cursor stays as it is
            return gap
        return replace(gap, start=start, certain=gap.certain and elapsed(self._another, received) > REPORT_REACH)

    def _was_set_since(self, before: Moment) -> bool:
        """Whether the wall clock was set between that moment and the reading of the other owner's cursor."""
        assert self._found is not None
        return abs((self._found.wall - self._found.boot) - (before.wall - before.boot)) > CLOCK_SLACK

    def _own(self, cursor: Cursor) -> Moment | None:
        """The moment of a cursor that we wrote or found before: both its clocks are known, whatever was set since."""
        text = rfc3339(cursor.requested)
        known = (moment for moment in (self._at, *self._in_doubt) if moment is not None)
        return next((moment for moment in known if rfc3339(moment.wall) == text), None)


def observed_text(cursor: Cursor) -> str | None:
    """The cursor's `observed` as the ids in the ledger carry it."""
    return None if cursor.observed is None else rfc3339(cursor.observed)
