"""Whether what must not grow did not: samples of one process and of the brokers' disks, over a run (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: `at` in seconds since the beginning, sizes in bytes, `ids` as the ledger's fold has them."""

    at: float
    memory: float
    descriptors: float
    ledger: float
    events: float
    ids: float


@dataclass(frozen=True, slots=True)
class Measure:
    """What of a sample is compared, by its median or its peak, and how much more of it is no growth."""

    of: Callable[[Sample], float]
    by: Callable[[Sequence[float]], float]
    share: float
    slack: float
    unit: float = 1e6


MEASURES: Mapping[str, Measure] = {
    "memory in MB": Measure(lambda one: one.memory, median, 0.04, 3e6),
    "descriptors": Measure(lambda one: one.descriptors, max, 0.0, 6, unit=1),
    "ledger in MB": Measure(lambda one: one.ledger, max, 0.25, 200_000),
    "events in MB": Measure(lambda one: one.events, max, 0.25, 500_000),
    "ids": Measure(lambda one: one.ids, max, 0.25, 500, unit=1),
}
"""The slack is for what a run's phases differ by: Python's arenas, a connection on its way out, one segment."""


def thirds(samples: Sequence[Sample], measure: Measure) -> tuple[float, float]:
    """The middle third of a run and its last: the first fills windows, caches and segments."""
    third = len(samples) // 3
    middle, last = samples[third : 2 * third], samples[2 * third :]
    return measure.by([measure.of(one) for one in middle]), measure.by([measure.of(one) for one in last])


def grown(samples: Sequence[Sample]) -> Iterator[str]:
    """What grew, in words."""
    if len(samples) < 9:
        yield f"{len(samples)} samples are too few to say what grows"
        return
    for name, measure in MEASURES.items():
        before, after = thirds(samples, measure)
        if after > before * (1 + measure.share) + measure.slack:
            yield f"{name} grew: {before / measure.unit:.1f} in the middle third, then {after / measure.unit:.1f}"
