"""What really happened in the call centre of a seed: hits and broken rows, and when the report has each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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

    @property
    def late(self) -> bool:
        """Whether it turned up in the report some time after it occurred."""
        return self.visible > self.occurred

    def row(self) -> dict[str, Any]:
        """What the API sends."""
        return {"conn_id": "" if self.dead else self.name, "type_interaction": "inbound", "date": "", "hit": self.name}


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


def _facts(server: str, rng: Random, *, rate: float, until: float, reach: float, late_by: float) -> Iterator[Fact]:
    now, number = -rng.uniform(0, reach), 0
    while (now := now + rng.expovariate(rate)) < until:
        number += 1
        visible = now + (rng.uniform(1, late_by) if late_by and rng.random() < 0.1 else 0.0)
        yield Fact(f"{server}-{number}", server, now, visible, now + reach, rng.random() < 0.06)
