"""The API of a seed: `producer.core.ports.Api` over the truth, in whatever mood the world has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

import orjson

from producer.clock import Clock
from producer.errors import BadToken, NotASnapshot, PollFailed, QuotaSpent, Retry, SlowDown
from producer.model import Snapshot
from producer.wolkvox.recall import Recall
from tests.simulation.plan import LIES
from tests.simulation.truth import Fact, Stream


class CutOff(Snapshot):
    """A snapshot that reached the API's cap, without its 60,000 rows."""

    @property
    def truncated(self) -> bool:
        return True


class Answer(NamedTuple):
    """What a process was told of all hits."""

    process: str
    said: dict[str, str]


@dataclass(slots=True)
class Archive:
    """What was ever answered of one server."""

    shown: set[str] = field(default_factory=set)
    lies: list[float] = field(default_factory=list)
    """When an answer left rows out and said nothing."""
    answers: dict[str, Answer] = field(default_factory=dict)
    """The answers by when their requests began, in the ledger's words."""
    said: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """Who was ever told what of a hit: by its name, when the answer was received, and what it said."""


class SimulatedReport:
    """One process's way to one server's report. `mood` is asked at each call; `latency` in seconds."""

    def __init__(
        self,
        server: str,
        *,
        process: str,
        stream: Stream,
        archive: Archive,
        clock: Clock,
        mood: Callable[[], str],
        timeout: float,
        latency: float,
        rng: Random,
    ) -> None:
        self._server = server
        self._process = process
        self._stream = stream
        self._archive = archive
        self._clock = clock
        self._mood = mood
        self._timeout = timeout
        self._latency = latency
        self._rng = rng
        self._recall = Recall()
        self.calls = 0

    async def fetch(self) -> Snapshot:
        requested = self._clock.now()
        mood = self._mood()
        self.calls += 1
        try:
            async with asyncio.timeout(self._timeout):
                await asyncio.sleep(self._rng.uniform(0, self._latency))
                refuse(mood, self._rng)
                facts, at = self._facts(mood), asyncio.get_running_loop().time()
                await asyncio.sleep(self._wait(mood))
        except TimeoutError:
            raise Retry("no whole answer in time") from None
        make = CutOff if mood == "truncated" else Snapshot
        snapshot = make(self._server, requested, self._clock.now(), [fact.row(at) for fact in facts])
        self._note(snapshot, {fact.name: fact.says(at) for fact in facts if not fact.dead}, facts)
        self._recognise(snapshot)
        return snapshot

    def _note(self, snapshot: Snapshot, said: dict[str, str], facts: list[Fact]) -> None:
        observed_at = snapshot.received.rfc3339()
        self._archive.shown.update(fact.name for fact in facts)
        self._archive.answers[snapshot.requested.rfc3339()] = Answer(self._process, said)
        self._archive.said |= {(name, observed_at, says): self._process for name, says in said.items()}

    def _recognise(self, snapshot: Snapshot) -> None:
        """As the client: what the last answer had too is not parsed again."""
        parts = self._recall.content(orjson.dumps({"code": 200, "data": snapshot.rows}))
        snapshot.answer = self._recall.answers
        if parts is not None:
            snapshot.rows, snapshot.ids, snapshot.parsed = parts.rows, parts.ids, parts.parsed

    def _wait(self, mood: str) -> float:
        if mood == "hang":
            return 10 * self._timeout
        return self._rng.uniform(0, 1.3 * self._timeout if mood == "slow" else self._latency)

    def _facts(self, mood: str) -> list[Fact]:
        now = asyncio.get_running_loop().time()
        facts = self._stream.report(now)
        if mood in LIES:
            self._archive.lies.append(now)
        if mood == "empty" or (mood == "flapping" and self._rng.random() < 0.5):
            return []
        if mood in ("partial", "truncated"):
            return [fact for fact in facts if self._rng.random() < 0.6]
        return facts


def refuse(mood: str, rng: Random) -> None:
    """Raise what a mood answers, if that is a refusal."""
    if (make := _REFUSALS.get(mood)) is not None:
        raise make(rng)


def _at_times(rng: Random) -> float | None:
    return rng.choice((None, 0.0, rng.uniform(1, 120)))


_REFUSALS: dict[str, Callable[[Random], PollFailed]] = {
    "retry": lambda rng: Retry("500", after=_at_times(rng)),
    "slow down": lambda rng: SlowDown("429", after=_at_times(rng)),
    "quota": lambda rng: QuotaSpent("quota", after=rng.uniform(1, 600)),
    "bad token": lambda _rng: BadToken("token"),
    "no snapshot": lambda _rng: NotASnapshot("html"),
}
