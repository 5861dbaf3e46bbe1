"""What really happened in the call centre of a seed: hits and broken rows, and when the report has each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any


@dataclass(frozen=True, slots=True)
class Fact:
    """One row; times in seconds since the world began. `dead` can't become an event."""

    name: str
    server: str
    occurred: float
    visible: float
    gone: float
    dead: bool
    versions: tuple[tuple[float, str], ...] = ((0.0, ""),)
    """From when on it says what: typified late, corrected, taken back."""

    @property
    def late(self) -> bool:
        """Whether it turned up in the report some time after it occurred."""
        return self.visible > self.occurred

    def says(self, now: float) -> str:
        """What it says at `now`."""
        return [says for since, says in self.versions if since <= now or since == self.versions[0][0]][-1]

    def row(self, now: float) -> dict[str, Any]:
        """What the API sends."""
        conn_id = "" if self.dead else self.name
        return {"conn_id": conn_id, "telephone": self.says(now), "date": "", "hit": self.name}


@dataclass(frozen=True, slots=True)
class Stream:
    """The rows of one server, in the order of their calls."""

    facts: tuple[Fact, ...]

    def report(self, now: float) -> list[Fact]:
        """What the report has at `now`."""
        return [fact for fact in self.facts if fact.visible <= now < fact.gone]


def stream(server: str, *, rng: Random, rate: float, until: float, reach: float, late_by: float) -> Stream:
    """Hits at `rate` a second up to `until`; each leaves the report `reach` seconds after its call."""
    return Stream(tuple(_facts(server, rng, rate=rate, until=until, reach=reach, late_by=late_by)))


def changing(facts: Stream, *, rng: Random, share: float) -> Stream:
    """The same, but so many of them say something else after a while, once or several times, and some flip back."""
    return Stream(tuple(_changing(fact, rng) if rng.random() < share else fact for fact in facts.facts))


def _changing(fact: Fact, rng: Random) -> Fact:
    if fact.dead:
        return fact
    versions, moments = (
        [(fact.visible, "")],
        sorted(rng.uniform(fact.visible, fact.gone) for _ in range(rng.randint(1, 4))),
    )
    for moment in moments:
        versions.append((moment, rng.choice([says for says in ("", "sale", "no sale") if says != versions[-1][1]])))
    return replace(fact, versions=tuple(versions))


def _facts(server: str, rng: Random, *, rate: float, until: float, reach: float, late_by: float) -> Iterator[Fact]:
    now, number = -rng.uniform(0, reach), 0
    while (now := now + rng.expovariate(rate)) < until:
        number += 1
        visible = now + (rng.uniform(1, late_by) if late_by and rng.random() < 0.1 else 0.0)
        yield Fact(f"{server}-{number}", server, now, visible, now + reach, rng.random() < 0.06)
