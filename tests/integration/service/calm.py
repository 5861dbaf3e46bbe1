"""Whether an instance that has to wait does so quietly: no busy loop, no line over and over, every wait bounded."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil

from producer.core.retries import LONGEST_WAIT
from producer.kafka import membership
from tests.integration.service.instance import Instance, Line

BUSIEST = 0.15
"""Of one core. A service that polls every second and waits takes 0.01 to 0.03; one that joins the group again without a
pause takes 0.2, although each try lasts a while."""
SAID = 5
"""Lines of one kind before it is quiet for five minutes, see producer/observe/lines.py."""


@asynccontextmanager
async def calm(instance: Instance) -> AsyncIterator[None]:
    """The instance is calm within the block, which lasts some seconds."""
    process, since = psutil.Process(instance.process.pid), instance.mark()
    began, used = time.monotonic(), _cpu(process)
    yield
    busy = (_cpu(process) - used) / (time.monotonic() - began)
    lines = instance.lines[since:]
    print(f"{instance.name}: {busy:.1%} of a core for {time.monotonic() - began:.0f} s, {len(lines)} lines")  # noqa: T201
    assert busy < BUSIEST, f"{instance.name} is busy: {busy:.0%} of a core"
    assert_limited(instance.name, lines)


def assert_limited(name: str, lines: list[Line]) -> None:
    """No trouble is told more often than the rate limit has it, and each try comes after a bounded wait."""
    troubles = [line for line in lines if line["level"] in ("warning", "error")]
    kinds = Counter((line["event"], line["logger"], line.get("server"), line.get("shard")) for line in troubles)
    loud = {kind: times for kind, times in kinds.items() if times > SAID}
    assert not loud, f"{name} repeats itself: {loud}"
    waits = [float(line["retry_in"]) for line in troubles if "retry_in" in line]
    assert max(waits, default=0) <= max(LONGEST_WAIT, membership.LONGEST_WAIT), f"{name} waits too long: {waits}"


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
