"""Which gaps of a source wait to be healed, and whether its history can be believed (pure).

    told -> waits in the ledger -> due -> does the history agree? -> what is new waits for Kafka -> told: it is healed
                                    ^----- put off ----- no, or it can't be asked

That a gap waits is in the ledger; when it is due is not: whoever takes the shard asks at once for what is due by then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass

from producer.clock import parse_rfc3339
from producer.core.ledger import gap_key
from producer.core.taken import Taken
from producer.model import Gap, Hit, OpenGap

LEAST, SHARE = 5, 0.9
"""Hits that must be told under the ids that the history gives them, and the part of those that it has.

The vendor nowhere says that its reports share their ids. Nine of ten: a code is given late, or taken back."""
TICK = 1.0
"""Seconds by which a hit's date may be too early: it has no fractions."""
SHORTEST_PAUSE = 3_600.0
"""Seconds until a gap that was put off is asked for again; each time twice as many, for it costs calls."""
LONGEST_WAIT = 31 * 86_400.0
"""Seconds after which nobody waits for a gap any more: what the API knows of it then nobody has said."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of covered time: how many hits the history has there, and how many of them are told by the same ids."""

    found: int
    told: int

    @property
    def holds(self) -> bool:
        """Whether the history speaks of the hits that the live report shows."""
        return self.told >= LEAST and self.told >= SHARE * self.found


class Healing:
    """The gaps of one source that wait. `delay` is RECOVER_DELAY in seconds; None: no gap waits."""

    def __init__(self, *, delay: float | None) -> None:
        self._delay = delay
        self._open: dict[bytes, OpenGap] = {}
        self._again: dict[bytes, float] = {}
        self._failures = Counter[bytes]()
        self._given_up: set[bytes] = set()
        self.reading = 0
        """How often the ledger was read, or lost. What was found out under an earlier one is not believed any more."""

    @property
    def open(self) -> Collection[OpenGap]:
        """Those that wait."""
        return self._open.values()

    def __len__(self) -> int:
        return len(self._open)

    def waits(self, one: OpenGap) -> bool:
        """Whether it does still."""
        return gap_key(one.gap) in self._open

    def opened(self, gaps: Iterable[tuple[Gap, str]]) -> list[OpenGap]:
        """Which of the gaps about to be told, each with its `observed_at`, are to be healed.

        Of two that begin at one moment the longer one, which contains the other: an outage, and a truncated answer.
        """
        if self._delay is None:
            return []
        longest_last = sorted(gaps, key=lambda told: told[0].end)
        return list({gap_key(gap): OpenGap(gap, observed_at) for gap, observed_at in longest_last}.values())

    def first(self) -> tuple[float, OpenGap] | None:
        """The gap that is due first, and since when, in Unix seconds."""
        waiting = [(self._due(key), one) for key, one in self._open.items() if key not in self._given_up]
        return min(waiting, key=lambda found: found[0], default=None)

    def failed(self, one: OpenGap) -> int:
        """It could not be healed; how often in a row by now."""
        self._failures[gap_key(one.gap)] += 1
        return self._failures[gap_key(one.gap)]

    def retry(self, one: OpenGap, at: float) -> None:
        """Not now: then, in Unix seconds."""
        self._again[gap_key(one.gap)] = at

    def put_off(self, one: OpenGap, now: float) -> float | None:
        """Not for a good while; when, in Unix seconds, or None if it was the last time."""
        key = gap_key(one.gap)
        waited = now - self._first_due(one)
        if waited >= LONGEST_WAIT:
            self.give_up(one)
            return None
        self._again[key] = now + max(SHORTEST_PAUSE, waited)
        self._failures.pop(key, None)
        return self._again[key]

    def give_up(self, one: OpenGap) -> None:
        """Nobody can heal it any more; the ledger may forget it."""
        self._given_up.add(gap_key(one.gap))

    def tombstones(self) -> list[bytes]:
        """The keys of gaps that were given up and are still in the ledger."""
        return sorted(self._given_up)

    def settle(self, taken: Taken) -> None:
        """The transaction is committed: what it opened waits from now on, what it recovered does no more."""
        self._open |= {gap_key(one.gap): one for one in taken.opened}
        for key in {*taken.healed(), *self._given_up.intersection(taken.tombstones)}:
            self._open.pop(key, None)
            self._given_up.discard(key)
        self._forget_the_others()

    def restore(self, gaps: Iterable[OpenGap]) -> None:
        """Become what the ledger says; what was put off stays so. Who heals no gaps gives them all up."""
        self.reading += 1
        found = {gap_key(one.gap): one for one in gaps}
        self._given_up = set(found) if self._delay is None else self._given_up & found.keys()
        self._open = {} if self._delay is None else found
        self._forget_the_others()

    def clear(self) -> None:
        """The shard went elsewhere, and its gaps with it."""
        self.restore(())

    def comparable(self, one: OpenGap, hits: Iterable[Hit]) -> dict[str, float]:
        """Those of the history's hits that snapshots covered before the gap, as far as is known."""
        return covered(hits, before=one.gap.start, gaps=[other.gap for other in self._open.values()])

    def _forget_the_others(self) -> None:
        """What was found out of gaps that wait no more, also of those that another owner healed."""
        self._again = {key: at for key, at in self._again.items() if key in self._open}
        self._failures = Counter({key: times for key, times in self._failures.items() if key in self._open})

    def _due(self, key: bytes) -> float:
        return self._again.get(key) or self._first_due(self._open[key])

    def _first_due(self, one: OpenGap) -> float:
        return parse_rfc3339(one.observed_at) + (self._delay or 0.0)


def covered(hits: Iterable[Hit], *, before: float, gaps: Collection[Gap]) -> dict[str, float]:
    """Those of the history's hits that lie before a moment and in none of the gaps: by id, each with its moment."""
    dated = ((hit["conn_id"], parse_rfc3339(moment)) for hit in hits if (moment := hit["occurred_at"]) is not None)
    return {
        key: moment
        for key, moment in dated
        if moment < before and not any(gap.start - TICK < moment <= gap.end for gap in gaps)
    }


def agreement(hits: Mapping[str, float], told: Container[str]) -> Agreement:
    """How far hits of the history, by id and moment, are `told`; from the first told one on.

    What is older may be from before anybody polled the source, which nothing remembers.
    """
    are_told = [key in told for key in sorted(hits, key=hits.__getitem__)]
    judged = are_told[are_told.index(True) :] if True in are_told else are_told
    return Agreement(found=len(judged), told=sum(judged))
