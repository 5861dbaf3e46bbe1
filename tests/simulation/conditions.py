"""The weather of a world at a moment: who reaches whom, and what goes wrong with a transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from math import inf
from random import Random

from tests.simulation.broker import CommitFault
from tests.simulation.plan import Kind, Plan, Trouble
from tests.simulation.processes import Process
from tests.twins.memory_kafka import Where

_FAULTS = (CommitFault.LOST, CommitFault.ERROR_LANDED, CommitFault.SILENT, CommitFault.SILENT_LOST)


class Weather:
    """The troubles that are on; `strike` ends or stops a process at this very moment."""

    def __init__(self, plan: Plan, *, strike: Callable[[Process, Random], None]) -> None:
        self._plan = plan
        self._strike = strike
        self._rng = Random(f"weather/{plan.seed}")
        self._on: dict[tuple[Kind, int], Trouble] = {}
        self._past: dict[int, Mapping[Where, int]] = {}
        self.places: dict[str, int] = {}
        """The place of each process, by its name."""

    def begin(self, trouble: Trouble) -> None:
        """From now on; a later one of its kind and target replaces it."""
        self._on[_key(trouble)] = trouble

    def depose(self, trouble: Trouble, ends: Mapping[Where, int]) -> None:
        """The broker that a place reads from is cut off from its peers, with the partitions as they end now."""
        self.begin(trouble)
        self._past[trouble.target] = ends

    def known_end(self, process: Process, where: Where) -> float:
        """Where a partition ends to the broker that a process reads from."""
        place = self._place(process)
        return self._past[place][where] if (Kind.PAST, place) in self._on else inf

    def end(self, trouble: Trouble) -> None:
        """No more, unless a later one took its place."""
        if self._on.get(_key(trouble)) is trouble:
            del self._on[_key(trouble)]

    def clear(self) -> None:
        """The sun comes out."""
        self._on.clear()

    def mood(self, source: int, process: Process) -> str:
        """What the API of a source is like for a process."""
        if (Kind.CUT, self._place(process)) in self._on:
            return "retry"
        trouble = self._on.get((Kind.API, source))
        return trouble.detail if trouble else "ok"

    def kafka_is_down(self) -> bool:
        """Whether nobody reaches it."""
        return (Kind.KAFKA, 0) in self._on

    def reachable(self, process: Process) -> bool:
        """Whether a process reaches Kafka."""
        cut = (Kind.ISOLATE, self._place(process)) in self._on
        return not (process.killed or cut or self.kafka_is_down())

    def commit_fault(self, process: Process, rng: Random) -> CommitFault:
        """How the end of a transaction goes."""
        return rng.choice(_FAULTS) if self._hits(Kind.TRANSACTIONS, process, rng) else CommitFault.NONE

    def batch_fails(self, process: Process, rng: Random) -> bool:
        """Whether a batch of a transaction never gets there."""
        return self._hits(Kind.TRANSACTIONS, process, rng) and rng.random() < 0.05

    def take_fails(self, process: Process, rng: Random) -> bool:
        """Whether the id was taken, but nobody hears of it."""
        return self._hits(Kind.TAKES, process, rng)

    def step(self, process: Process, rng: Random) -> float:
        """Seconds for one step of a transaction; the process may be struck in it."""
        if not process.paused and not process.killed and self._hits(Kind.STRIKES, process, rng) and rng.random() < 0.2:
            self._strike(process, rng)
        return rng.choice((0.0, rng.uniform(0, self._plan.latency)))

    def marker_delay(self) -> float:
        """Seconds until the end of a transaction is seen by readers."""
        trouble = next((one for (kind, _), one in self._on.items() if kind is Kind.MARKERS), None)
        if trouble is None or self._rng.random() > float(trouble.detail):
            return 0.0
        return self._rng.choice((self._rng.uniform(0, 2), self._rng.uniform(0, 30)))

    def _hits(self, kind: Kind, process: Process, rng: Random) -> bool:
        trouble = self._on.get((kind, self._place(process)))
        return trouble is not None and rng.random() < float(trouble.detail)

    def _place(self, process: Process) -> int:
        return self.places[process.name]


def _key(trouble: Trouble) -> tuple[Kind, int]:
    return trouble.kind, 0 if trouble.kind is Kind.KAFKA else trouble.target


def now() -> float:
    """The world's time in seconds."""
    return asyncio.get_running_loop().time()
