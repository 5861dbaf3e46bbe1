"""What a seed decides before anything runs: the world's measures and all that will go wrong from outside, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random

WINDOW = 600.0
"""WOLKVOX_WINDOW of every world."""
KEEP = 7200.0
"""DEDUP_WINDOW of every world."""
TOGETHER, APART = ("0042", "0049", "0056"), ("0042", "0043", "0044")
"""Servers of one shard, and of one each, among `instance.SHARDS`."""


class Kind(StrEnum):
    """What can go wrong."""

    KILL = "killed"
    STOP = "stopped"
    PAUSE = "paused"
    ISOLATE = "cut from Kafka"
    CUT = "cut from the API"
    STEP = "wall clock set"
    KAFKA = "Kafka is down"
    TRANSACTIONS = "transactions go wrong"
    TAKES = "taking a shard goes wrong"
    MARKERS = "markers are late"
    STRIKES = "struck in the middle of transactions"
    API = "the API"
    PAST = "reads from a deposed leader"
    LOST = "the ledger is deleted and made again"


class Past(StrEnum):
    """What the historical reports are like."""

    SAME = "by the same ids"
    OTHER_IDS = "by other ids"
    LATE = "half an hour late"
    MISSING = "always 404"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that goes wrong: from `at` for `seconds`; `target` is an instance's place or a source's."""

    at: float
    kind: Kind
    target: int
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A world, as its seed made it; times in seconds."""

    seed: int
    servers: tuple[str, ...]
    places: int
    duration: float
    interval: float
    timeout: float
    rate: float
    reach: float
    late_by: float
    changing: float
    pending_limit: int
    session: float
    split: bool
    skew: float
    latency: float
    heal_after: float | None
    """RECOVER_DELAY; None if gaps are not healed."""
    history: Past
    troubles: tuple[Trouble, ...]

    @property
    def clocks_are_set(self) -> bool:
        """Whether somebody sets a wall clock in it."""
        return any(trouble.kind is Kind.STEP for trouble in self.troubles)


MOODS = (
    *("retry", "retry", "slow down", "quota", "bad token", "no snapshot", "hang", "hang", "slow"),
    *("empty", "partial", "partial", "truncated", "truncated", "flapping"),
)
"""What the API can be like. `empty`, `partial` and `flapping` are lies: rows are missing and nothing says so."""
LIES = frozenset({"empty", "partial", "flapping"})

_WEIGHTS = {
    Kind.KILL: 4,
    Kind.STOP: 2,
    Kind.PAUSE: 4,
    Kind.ISOLATE: 3,
    Kind.CUT: 2,
    Kind.KAFKA: 3,
    Kind.TRANSACTIONS: 5,
    Kind.TAKES: 2,
    Kind.MARKERS: 2,
    Kind.STRIKES: 3,
    Kind.API: 7,
}


def plan_of(seed: int) -> Plan:
    """The plan of a seed, the same for ever."""
    rng = Random(f"plan/{seed}")
    interval = rng.choice((60.0, 120.0, 180.0, 300.0))
    late_by = rng.choice((0.0, 0.0, 120.0))
    duration = rng.uniform(2400, 9000) if rng.random() < 0.85 else rng.uniform(9000, 26_000)
    healing = Random(f"healing/{seed}")
    heal_after = healing.choice((None, None, None, 60.0, 1200.0, KEEP + 800.0))
    if heal_after is not None and heal_after > KEEP:
        duration += heal_after  # so that gaps heal whose hits every window has forgotten
    places = rng.choice((1, 2, 2, 3))
    servers = Random(f"servers/{seed}").choice((TOGETHER, APART))[: rng.choice((1, 1, 2, 3))]
    rate = 1 / rng.uniform(20, 120)
    reach = rng.choice((WINDOW + 10, 1200.0, 1800.0, 3600.0)) + late_by
    # Enough for all reports and half of it; or so few that what waits for a shard elsewhere is in the way.
    narrow = 20 + int(1.5 * rate * reach * len(servers))
    tight = len(servers) > 1 and servers == APART[: len(servers)] and Random(f"tight/{seed}").random() < 0.6
    return Plan(
        seed=seed,
        servers=servers,
        places=places,
        duration=duration,
        interval=interval,
        timeout=rng.choice((10.0, 30.0, 60.0)),
        rate=rate,
        reach=reach,
        late_by=late_by,
        changing=Random(f"changing/{seed}").choice((0.0, 0.1, 0.4)),
        pending_limit=min(rng.choice((500_000, 500_000, narrow)), 8 if tight else 500_000),
        session=rng.choice((12.0, 45.0, 90.0)),
        split=places > 1 and rng.random() < 0.04,
        skew=rng.choice((0.0, 0.0, 2.0)),
        latency=rng.choice((0.01, 0.1, 1.0)),
        heal_after=heal_after,
        history=healing.choice((Past.SAME, Past.SAME, Past.SAME, Past.OTHER_IDS, Past.LATE, Past.MISSING)),
        troubles=tuple(
            sorted(
                (
                    *_troubles(rng, places, len(servers), duration),
                    *_pasts(Random(f"past/{seed}"), places, duration),
                    *_losses(Random(f"lost/{seed}"), duration),
                ),
                key=lambda one: one.at,
            )
        ),
    )


def _troubles(rng: Random, places: int, servers: int, duration: float) -> Iterator[Trouble]:
    kinds, weights = list(_WEIGHTS), list(_WEIGHTS.values())
    for _ in range(rng.randint(0, 3 + int(duration / 700))):
        kind = rng.choices(kinds, weights)[0]
        yield _trouble(rng, kind, rng.uniform(0, duration), places, servers)
    if rng.random() < 0.12:
        for _ in range(rng.randint(1, 3)):
            step = rng.choice((-1, 1)) * rng.choice((5.0, 300.0, 1200.0))
            yield Trouble(rng.uniform(0, duration), Kind.STEP, rng.randrange(places), 0.0, f"{step:+.0f}")


def _trouble(rng: Random, kind: Kind, at: float, places: int, servers: int) -> Trouble:
    seconds = rng.choice((rng.uniform(1, 20), rng.uniform(20, 200), rng.uniform(200, 900), rng.uniform(900, 2700)))
    if kind is Kind.API:
        mood = rng.choice(MOODS)
        longest = 1500.0 if mood in LIES else 2700.0
        return Trouble(at, kind, rng.randrange(servers), min(seconds * 3, longest), mood)
    if kind in (Kind.TRANSACTIONS, Kind.TAKES, Kind.STRIKES, Kind.MARKERS):
        return Trouble(at, kind, rng.randrange(places), max(seconds, 300.0), f"{rng.choice((0.2, 0.5, 0.9))}")
    return Trouble(at, kind, rng.randrange(places), seconds)


def _pasts(rng: Random, places: int, duration: float) -> Iterator[Trouble]:
    if rng.random() < 0.4:
        for _ in range(rng.randint(1, 3)):
            seconds = rng.choice((rng.uniform(20, 200), rng.uniform(200, 900)))
            yield Trouble(rng.uniform(0, duration), Kind.PAST, rng.randrange(places), seconds)


def _losses(rng: Random, duration: float) -> Iterator[Trouble]:
    if rng.random() < 0.05:
        yield Trouble(rng.uniform(duration / 3, duration), Kind.LOST, 0, 0.0)
