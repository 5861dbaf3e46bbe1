"""When to poll next (pure): drift-free slots with a little jitter; after a failure, backoff bounded by what is at risk.

All times are seconds of one monotonic clock. The rules, by what a poll ended with:

    success, PendingFull  the next slot
    Retry, NotASnapshot   full jitter, 1 s doubling up to the interval
    SlowDown              full jitter, 2 s doubling up to 30 s
    BadToken, Refused     the interval, doubling up to a minute or the interval, whichever is longer; the first Refused
                          within 5 s: a firewall's page for one poll must not cost an interval
    QuotaSpent            the daily reset, whatever is at risk: no call before it brings hits; with a Retry-After as
                          BadToken, if that is sooner

A Retry-After is a floor under these waits, never their replacement: "0", or a date gone by, would mean five calls a
second. Any other retry never waits past the moment at which hits would leave the report unseen, less the time that a
call may take; once that moment is past, nothing is won by hurrying and the bound is the interval. A slow retry gets one
try in time, and then is slow again. Full jitter: AWS Architecture Blog, "Exponential Backoff And Jitter": a random wait
in [0, bound] spreads a herd best.
"""

from __future__ import annotations

from random import Random

from producer.errors import BadToken, PendingFull, PollFailed, QuotaSpent, Refused, SlowDown

SHORTEST = 0.2
"""No retry sooner than this: full jitter may draw 0."""
RUSH = 5.0
"""No risk of a loss makes a retry sooner than this: fifths of what is left would be twenty calls in the last minute."""
PROBE = 900.0
"""A second refusal for quota after a reset means that the reset is not when we think: ask again this often."""


class Schedule:
    """One source's next poll. `interval` and `timeout` in seconds; `start` is when the first poll is due."""

    def __init__(self, *, interval: float, timeout: float, start: float, rng: Random) -> None:
        self._interval = interval
        self._timeout = timeout
        self._start = start
        self._rng = rng
        self._slot = 0
        self._failures = 0
        self._refusals = 0
        self._unknown = False
        self._missed = 0

    def after_success(self, now: float) -> float:
        """When to poll next: the first slot after `now`."""
        late = self._failures > 0
        self._failures = self._refusals = 0
        self._unknown = False
        slot = self._next_slot(now)
        if late:
            self._missed = 0  # the failures before took that time, and were told
        return slot

    def after_truncated(self, now: float) -> float:
        """When to poll next after a full answer: halfway between two slots too, so that less can pile up."""
        due = self.after_success(now)
        halfway = self._start + (self._slot - 0.5) * self._interval
        return halfway if now < halfway else due

    def after_failure(self, error: PollFailed, *, now: float, until_loss: float | None, until_reset: float) -> float:
        """When to poll next: `until_loss` and `until_reset` are seconds from now, None if nothing is covered yet."""
        self._failures += 1
        self._refusals = self._refusals + 1 if isinstance(error, QuotaSpent) else 0
        if isinstance(error, PendingFull):
            return self._next_slot(now)
        if isinstance(error, QuotaSpent):
            return now + self._quota(error, until_loss=until_loss, until_reset=until_reset)
        if isinstance(error, BadToken | Refused):
            soon = isinstance(error, Refused) and not self._unknown
            self._unknown = self._unknown or soon
            return now + self._slow(min(_asked(error), self._slowest), until_loss, soon=soon)
        return now + max(SHORTEST, min(self._backoff(error), self._bound(until_loss)))

    def missed(self) -> int:
        """Slots that passed since this was last asked, because a poll took so long; they are not made up for."""
        missed, self._missed = self._missed, 0
        return missed

    def _next_slot(self, now: float) -> float:
        slot = int((now - self._start) // self._interval) + 1
        self._missed += max(0, slot - self._slot - 1)
        self._slot = slot
        # At most 5 s and a twentieth of the interval: enough to unpick instances started together.
        return self._start + slot * self._interval + self._rng.uniform(0, min(5.0, self._interval / 20))

    def _quota(self, error: QuotaSpent, *, until_loss: float | None, until_reset: float) -> float:
        reset = until_reset + self._rng.uniform(1, 30)
        if error.after is not None:
            return min(self._slow(_asked(error), until_loss), reset)  # whatever it says, a new day is worth one call
        if self._refusals > 1:
            return min(until_reset, max(PROBE, self._interval))
        return reset

    @property
    def _slowest(self) -> float:
        return max(60.0, self._interval)

    def _slow(self, asked: float, until_loss: float | None, *, soon: bool = False) -> float:
        own = min(self._slowest, self._interval * self._doubling()) * self._rng.uniform(0.9, 1.1)
        if soon:
            own = min(own, self._rng.uniform(1, 5))
        wait, in_time = max(asked, own), (until_loss or 0.0) - self._timeout
        return max(SHORTEST, min(wait, in_time)) if in_time > 0 else wait

    def _backoff(self, error: PollFailed) -> float:
        base, longest = (2.0, 30.0) if isinstance(error, SlowDown) else (1.0, max(1.0, self._interval))
        return max(_asked(error), self._rng.uniform(0, min(longest, base * self._doubling())))

    def _bound(self, until_loss: float | None) -> float:
        if until_loss is None or until_loss <= 0:
            return self._interval
        # The answer must arrive in time; a fifth of what is left keeps a second try possible.
        return max(until_loss - self._timeout, until_loss / 5, min(until_loss, RUSH))

    def _doubling(self) -> float:
        return float(2 ** min(self._failures - 1, 20))


def _asked(error: PollFailed) -> float:
    return error.after or 0.0
