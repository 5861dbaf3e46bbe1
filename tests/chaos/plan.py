"""What goes wrong, when, and for how long: drawn from one seed before anything runs (pure).

Each lane has one trouble at a time, the lanes run side by side: troubles of both instances, of the brokers and of the
API overlap in every way, while never more than one of three brokers is away, unless all are, or a deposed one is alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Kind(StrEnum):
    """What can go wrong; the value is what the story and the table say."""

    KILL = "instance: SIGKILL"
    PAUSE = "instance: SIGSTOP, SIGCONT"
    TERM = "instance: SIGTERM, restart"
    CUT = "network: cut, nothing refused"
    REFUSE = "network: connections broken and refused"
    SLOW = "network: late answers"
    NODE_KILL = "broker: SIGKILL"
    NODE_PAUSE = "broker: SIGSTOP, SIGCONT"
    NODE_STOP = "broker: restart"
    NODE_ALONE = "broker: deposed, then alone with the clients"
    CLUSTER_KILL = "all brokers: SIGKILL"
    API = "API"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One of them: `at` and `seconds` from the beginning; `target` is an instance's place or a broker's number."""

    at: float
    seconds: float
    kind: Kind
    target: int = 0
    detail: str = ""

    def __str__(self) -> str:
        what = f"{self.kind} {self.detail}".strip()
        return f"{what}, {self.target}, for {self.seconds:.1f} s"


FAULTS = (
    *("http-500", "http-503:2", "429:2", "simultaneous", "maintenance", "html", "no-route", "empty-body"),
    *("truncated-json", "broken-gzip", "reset", "cut", "stall", "timeout", "slow:3", "error-in-200"),
    *("duplicate-rows", "total-line", "top-level-list", "code-string", "deflate"),
    *("history-other-ids", "history-late:2", "history-404"),
)
"""Of the simulator; none that hide rows and call that a whole report, or show a row once and take it back: nobody could
know better then."""

INSTANCE = {Kind.KILL: 4, Kind.PAUSE: 4, Kind.TERM: 3, Kind.CUT: 2, Kind.REFUSE: 2, Kind.SLOW: 2}
BROKER = {Kind.NODE_KILL: 5, Kind.NODE_PAUSE: 4, Kind.NODE_STOP: 2, Kind.NODE_ALONE: 3, Kind.CLUSTER_KILL: 1}
"""How often each kind is drawn in its lane, against the others."""

LONGEST: Mapping[Kind, float] = {Kind.PAUSE: 20.0, Kind.CUT: 20.0, Kind.NODE_PAUSE: 12.0, Kind.CLUSTER_KILL: 10.0}
"""Seconds at most, where it matters that it is longer than a session (6 s): of what is not here, 8."""

INSTANCES, BROKERS = 2, 3


def plan(seed: int, *, seconds: float) -> Sequence[Sequence[Trouble]]:
    """The lanes: one for each instance, one for the brokers, one for the API; nothing begins after `seconds`."""
    lanes: list[Callable[[Random], tuple[Kind, int, str]]] = [
        *(_instance(place) for place in range(INSTANCES)),
        lambda rng: (_drawn(rng, BROKER), rng.randrange(BROKERS), ""),
        lambda rng: (Kind.API, 0, rng.choice(FAULTS)),
    ]
    return [list(_lane(Random(f"chaos/{seed}/{number}"), draw, seconds)) for number, draw in enumerate(lanes)]


def _instance(place: int) -> Callable[[Random], tuple[Kind, int, str]]:
    return lambda rng: (_drawn(rng, INSTANCE), place, "")


def _lane(rng: Random, draw: Callable[[Random], tuple[Kind, int, str]], until: float) -> Iterator[Trouble]:
    at = rng.uniform(1, 8)
    while at < until:
        kind, target, detail = draw(rng)
        seconds = rng.uniform(0.5, LONGEST.get(kind, 8.0))
        yield Trouble(at, seconds, kind, target, detail)
        at += seconds + rng.uniform(2, 14)


def _drawn(rng: Random, kinds: Mapping[Kind, int]) -> Kind:
    return rng.choices(list(kinds), list(kinds.values()))[0]
