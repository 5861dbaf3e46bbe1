"""What is measured, and what it is held to: ratios of two things that ran in turns in one process."""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds by the wall, and seconds of processor that this process used, all its threads together."""

    wall: float
    cpu: float

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall + other.wall, self.cpu + other.cpu)

    def times(self, factor: float) -> Spent:
        """As if it had been done so often."""
        return Spent(self.wall * factor, self.cpu * factor)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number; `at_most` or `at_least` is what it is held to, None for what is only told."""

    what: str
    value: float
    unit: str = "x"
    at_most: float | None = None
    at_least: float | None = None

    @property
    def met(self) -> bool:
        """Whether it keeps its bound; a figure without one does."""
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )

    @property
    def bound(self) -> str:
        """What it is held to, in words."""
        if self.at_most is not None:
            return f"at most {self.at_most:,g}"
        return "" if self.at_least is None else f"at least {self.at_least:,g}"


@dataclass(frozen=True, slots=True)
class Report:
    """What one benchmark found; `about` says what was compared with what."""

    name: str
    about: str
    figures: Sequence[Figure]

    def line(self) -> dict[str, Any]:
        """Everything, for a line of JSON."""
        figures = [
            {"what": figure.what, "value": round(figure.value, 3), "unit": figure.unit}
            | ({"bound": figure.bound, "met": figure.met} if figure.bound else {})
            for figure in self.figures
        ]
        return {"benchmark": self.name, "about": self.about, "figures": figures}


async def spent(work: Callable[[], Awaitable[object]]) -> Spent:
    """What one run of `work` costs, garbage of what ran before it not included."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def ratios(subjects: Sequence[Spent], floors: Sequence[Spent]) -> Spent:
    """The median over the rounds of what the subject took for one of the floor, by the wall and by the processor."""
    pairs = list(zip(subjects, floors, strict=True))
    return Spent(
        median(one.wall / floor.wall for one, floor in pairs), median(one.cpu / floor.cpu for one, floor in pairs)
    )


def medians(rounds: Sequence[Spent]) -> Spent:
    """The median of each clock."""
    return Spent(median(one.wall for one in rounds), median(one.cpu for one in rounds))


def milliseconds(what: str, rounds: Sequence[Spent]) -> list[Figure]:
    """Two figures: the medians by the wall and by the processor."""
    middle = medians(rounds)
    return [Figure(f"{what}, wall", middle.wall * 1e3, "ms"), Figure(f"{what}, CPU", middle.cpu * 1e3, "ms")]
