"""Faults on demand: by name, by a plan, or switched while the simulator runs.

html                            always
slow:20                         always, with an argument in seconds
html@10s-20s,quota@30s-35s      from the 10th to the 20th second of the simulator, and so on
http-500@1m-                    from the first minute on
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from difflib import get_close_matches

from producer.demo.simulator.answers import Answer, Fault, Report
from producer.demo.simulator.faults_history import HISTORY
from producer.demo.simulator.faults_refused import REFUSED
from producer.demo.simulator.faults_rows import ROWS
from producer.demo.simulator.faults_wire import WIRE
from producer.duration import seconds

FAULTS: dict[str, Fault] = {fault.name: fault for fault in (*REFUSED, *WIRE, *ROWS, *HISTORY)}
"""Every fault by its name."""


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """A fault together with its argument in seconds."""

    fault: Fault
    seconds: float = 0.0

    @classmethod
    def parse(cls, text: str) -> ActiveFault:
        """`name` or `name:seconds`; raises ValueError that names the nearest known fault."""
        name, _, argument = text.strip().partition(":")
        fault = FAULTS.get(name)
        if fault is None:
            near = get_close_matches(name, FAULTS, n=1)
            raise ValueError(f"no fault {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        if argument and fault.seconds is None:
            raise ValueError(f"fault {name!r} takes no argument")
        return cls(fault, _seconds(argument) if argument else fault.seconds or 0.0)

    def answer(self, report: Report) -> Answer:
        """What is answered instead of the plain report."""
        return self.fault.make(report, self.seconds)

    def __str__(self) -> str:
        default = self.seconds == (self.fault.seconds or 0.0)
        return self.fault.name if default else f"{self.fault.name}:{self.seconds:g}"


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A fault from `start` to before `end`, in seconds since the simulator started."""

    active: ActiveFault
    start: float = 0.0
    end: float = math.inf


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Which fault is on at which second; where two overlap, the first named counts."""

    entries: tuple[PlannedFault, ...] = ()

    @classmethod
    def parse(cls, text: str) -> FaultPlan:
        """A comma-separated plan, see the head of this module; raises ValueError that says which part is wrong."""
        return cls(tuple(_planned(part) for part in text.split(",") if part.strip()))

    def at(self, seconds: float) -> ActiveFault | None:
        """The fault of that second, if any."""
        return next((entry.active for entry in self.entries if entry.start <= seconds < entry.end), None)


class FaultSwitch:
    """The fault that is on now: a plan, and what was switched by hand, which goes before it."""

    def __init__(self, plan: FaultPlan | None = None, *, started: float = 0.0) -> None:
        self._plan = plan or FaultPlan()
        self._started = started
        self._by_hand: ActiveFault | None = None
        self._until = math.inf

    def switch(self, fault: str | None, *, until: float = math.inf) -> None:
        """Turn a fault on until a moment (the plan goes on after it); None turns everything off, the plan too.

        Raises ValueError for a fault that does not exist.
        """
        self._by_hand = None if fault is None else ActiveFault.parse(fault)
        self._until = until
        if fault is None:
            self._plan = FaultPlan()

    def at(self, now: float) -> ActiveFault | None:
        """The fault at `now`, in seconds since 1970."""
        if self._by_hand is not None and now < self._until:
            return self._by_hand
        return self._plan.at(now - self._started)


def _planned(part: str) -> PlannedFault:
    name, at, span = part.strip().partition("@")
    if not at:
        return PlannedFault(ActiveFault.parse(name))
    start, dash, end = span.partition("-")
    if not dash:
        raise ValueError(f"{part.strip()!r}: say from and to, such as {name}@10s-20s")
    planned = PlannedFault(ActiveFault.parse(name), _seconds(start or "0"), _seconds(end) if end else math.inf)
    if planned.end <= planned.start:
        raise ValueError(f"{part.strip()!r} ends before it starts")
    return planned


def _seconds(text: str) -> float:
    return 0.0 if text.strip() in {"0", "0s"} else seconds(text)  # a plan may begin at once
