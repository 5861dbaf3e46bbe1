"""The API of a seed: `producer.core.ports.Api` over the truth, in whatever mood the world has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from producer.clock import Clock
from producer.errors import BadToken, NotASnapshot, PollFailed, QuotaSpent, Retry, SlowDown
from producer.model import Snapshot
from tests.simulation.plan import LIES
from tests.simulation.truth import Fact, Stream


class CutOff(Snapshot):
    """A snapshot that reached the API's cap, without its 60,000 rows."""

    @property
    def truncated(self) -> bool:
        return True


@dataclass(slots=True)
class Archive:
    """What was ever answered of one server."""

    shown: set[str] = field(default_factory=set)
    lies: list[float] = field(default_factory=list)
    """When an answer left rows out and said nothing."""


class SimulatedReport:
    """One process's way to one server's report. `mood` is asked at each call; `latency` in seconds."""

    def __init__(
        self,
        server: str,
        *,
        stream: Stream,
        archive: Archive,
        clock: Clock,
        mood: Callable[[], str],
        timeout: float,
        latency: float,
        rng: Random,
    ) -> None:
        self._server = server
        self._stream = stream
        self._archive = archive
        self._clock = clock
        self._mood = mood
        self._timeout = timeout
        self._latency = latency
        self._rng = rng
        self.calls = 0

    async def fetch(self) -> Snapshot:
        requested = self._clock.now()
        mood = self._mood()
        self.calls += 1
        try:
            async with asyncio.timeout(self._timeout):
                await asyncio.sleep(self._rng.uniform(0, self._latency))
                self._refuse(mood)
                facts = self._facts(mood)
                await asyncio.sleep(self._wait(mood))
        except TimeoutError:
            raise Retry("no whole answer in time") from None
        self._archive.shown.update(fact.name for fact in facts)
        make = CutOff if mood == "truncated" else Snapshot
        return make(self._server, requested, self._clock.now(), [fact.row() for fact in facts])

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

    def _refuse(self, mood: str) -> None:
        if (make := _REFUSALS.get(mood)) is not None:
            raise make(self._rng)


def _at_times(rng: Random) -> float | None:
    return rng.choice((None, 0.0, rng.uniform(1, 120)))


_REFUSALS: dict[str, Callable[[Random], PollFailed]] = {
    "retry": lambda rng: Retry("500", after=_at_times(rng)),
    "slow down": lambda rng: SlowDown("429", after=_at_times(rng)),
    "quota": lambda rng: QuotaSpent("quota", after=rng.uniform(1, 600)),
    "bad token": lambda _rng: BadToken("token"),
    "no snapshot": lambda _rng: NotASnapshot("html"),
}
