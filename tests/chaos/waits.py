"""Whether every wait was bounded: read from the log lines of all processes of a run (pure)."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from producer.clock import parse_rfc3339
from producer.core.ledger import shard_of
from producer.core.retries import LONGEST_WAIT
from producer.kafka import membership
from producer.kafka.store import COMMIT_BOUND, TAKE_BOUND
from tests.chaos.plan import Kind

LONGEST_SILENCE = 2 * (COMMIT_BOUND + TAKE_BOUND + LONGEST_WAIT)
"""Seconds without a commit of one source: a commit given up, a wait, a taking given up, a wait, and that twice, for
troubles overlap. No trouble itself is longer than 20 s."""

TROUBLES_A_MINUTE = 60
"""Warnings and errors of one process: a kind is limited to five in five minutes, each source and shard by itself."""

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Past:
    """A trouble as it came: from `began` to `ended`, in Unix seconds."""

    kind: Kind
    began: float
    ended: float


def commits(lines: Sequence[Line], servers: Sequence[str], *, shards: int) -> Mapping[str, Sequence[float]]:
    """When something of each server was committed, by anybody."""
    found: dict[int, list[float]] = defaultdict(list)
    for line in lines:
        if line["event"] == "committed":
            found[line["shard"]].append(parse_rfc3339(line["timestamp"]))
    return {server: sorted(found[shard_of(server, shards)]) for server in servers}


def after(trouble: Past, told: Mapping[str, Sequence[float]]) -> float | None:
    """Seconds from a trouble's end until every server had a commit again; None if the run ended before."""
    firsts = [_first(times, trouble.ended) for times in told.values()]
    return None if None in firsts else max(first for first in firsts if first is not None) - trouble.ended


def complaints(processes: Mapping[str, Sequence[Line]], told: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """What took longer, or was said more often, than it may."""
    for server, times in told.items():
        silence = max((later - earlier for earlier, later in pairwise(times)), default=0.0)
        if silence > LONGEST_SILENCE:
            yield f"{server}: {silence:.0f} s without a commit, at most {LONGEST_SILENCE:.0f} are explained"
    for name, lines in processes.items():
        yield from (f"{name}: {text}" for text in _loud(lines))
        longest = max((float(line["retry_in"]) for line in lines if line["event"] in WAITING), default=0.0)
        if longest > max(LONGEST_WAIT, membership.LONGEST_WAIT):
            yield f"{name}: waits {longest:.0f} s for its next try"


WAITING = frozenset({"commit_failed", "kafka_unavailable"})
"""Lines with `retry_in` that speak of Kafka; a failed poll's may be as long as the API asks for."""


def _loud(lines: Sequence[Line]) -> Iterator[str]:
    if not lines:
        return
    troubles = sum(line["level"] in ("warning", "error") for line in lines)
    minutes = 1 + (parse_rfc3339(lines[-1]["timestamp"]) - parse_rfc3339(lines[0]["timestamp"])) / 60
    if troubles > TROUBLES_A_MINUTE * minutes:
        yield f"{troubles} warnings in {minutes:.1f} minutes"


def _first(times: Sequence[float], moment: float) -> float | None:
    place = bisect_left(times, moment)
    return times[place] if place < len(times) else None
