"""Reports as a service would make them, for the tests of what shows them."""

from __future__ import annotations

import random
from dataclasses import replace

from producer.model import Gap, GapKind
from producer.observe.status import MINUTES, KafkaState, ServiceStatus, SourceState, SourceStatus

NOW = 1_768_782_812.0


def source(server: str = "0042", *, seed: int = 1, **changes: object) -> SourceStatus:
    """A source that is well, but for `changes`."""
    rng = random.Random(f"{server}/{seed}")
    hits = tuple(rng.randrange(rng.choice((1, 4, 12))) for _ in range(MINUTES))
    well = SourceStatus(
        server=server,
        owned=True,
        state=SourceState.OK,
        last_success=NOW - rng.randrange(2, 290),
        next_poll=NOW + rng.randrange(5, 290),
        published=sum(hits) * 20,
        duplicate=sum(hits) * 240,
        seconds_until_data_loss=float(rng.randrange(310, 590)),
        hits_per_minute=hits,
    )
    return replace(well, **changes)  # type: ignore[arg-type]  # the test names real fields


def elsewhere(server: str) -> SourceStatus:
    """A source that another instance polls."""
    return SourceStatus(server=server, owned=False, state=SourceState.STANDBY)


def healthy(sources: int = 3) -> ServiceStatus:
    """All sources polled and committed."""
    reports = tuple(source(f"{n:04}") for n in range(1, sources + 1))
    return ServiceStatus(
        instance="hits-7d9f-1",
        version="0.1.0",
        kafka=KafkaState.OK,
        shards=tuple(range(12)),
        sources=reports,
        now=NOW,
        started=NOW - 93_784,
    )


def outage() -> ServiceStatus:
    """Kafka is away, one token is refused, one source loses hits by now."""
    gap = Gap("0003", NOW - 1900, NOW - 1310, GapKind.UNPOLLED, certain=False)
    long = Gap("0003", NOW - 90_000, NOW - 84_000, GapKind.UNPOLLED, certain=True)
    troubled = (
        source("0001", state=SourceState.WAITING_FOR_KAFKA, pending=1283, error="no broker answers in time"),
        source("0002", state=SourceState.BAD_TOKEN, seconds_until_data_loss=71.0, error="the API refuses the token"),
        source(
            "0003",
            state=SourceState.RETRYING,
            seconds_until_data_loss=-340.0,
            dead_lettered=3,
            gaps=(gap, long),
            gaps_waiting=2,
            unhealed="of 87 hits that the history has before it, 0 are told",
        ),
    )
    return replace(
        healthy(),
        kafka=KafkaState.UNREACHABLE,
        sources=troubled,
        unready=("Kafka is unreachable for 12 min.", "Source 0002: the API refuses the token."),
    )


def standby() -> ServiceStatus:
    """Another instance has everything."""
    return replace(healthy(), shards=(), sources=tuple(elsewhere(f"{n:04}") for n in range(1, 4)))


def crowd(sources: int = 200) -> ServiceStatus:
    """Many sources: two thirds here, a few of them in trouble."""
    states = {7: SourceState.BAD_TOKEN, 31: SourceState.QUOTA_SPENT, 64: SourceState.RETRYING, 99: SourceState.STARTING}
    reports = [
        elsewhere(f"{n:04}") if n % 3 == 0 else source(f"{n:04}", state=states.get(n, SourceState.OK))
        for n in range(1, sources + 1)
    ]
    return replace(healthy(), shards=(0, 1, 2, 3, 5, 8, 9, 11), sources=tuple(reports))
