"""`producer.core.ports.Observer` that writes down what it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from producer.core.ports import Failed, Polled, Told, Unhealed
from producer.errors import KafkaFailed
from producer.model import Dropped, Progress


@dataclass(frozen=True, slots=True)
class Restored:
    """A shard was taken."""

    shard: int
    servers: Sequence[str]
    ids: int


@dataclass(slots=True)
class RecordingObserver:
    """What was told, by kind and in order; `journal` holds the names of all of it in one order."""

    journal: list[str] = field(default_factory=list)
    polls: list[Polled] = field(default_factory=list)
    failures: list[Failed] = field(default_factory=list)
    commits: list[Mapping[str, Told]] = field(default_factory=list)
    drops: list[Dropped] = field(default_factory=list)
    commit_failures: list[KafkaFailed] = field(default_factory=list)
    fences: list[tuple[int, int, float]] = field(default_factory=list)
    progress: list[tuple[Progress, float]] = field(default_factory=list)
    restores: list[Restored] = field(default_factory=list)
    ahead: list[str] = field(default_factory=list)
    unknown: list[Sequence[str]] = field(default_factory=list)
    overruns: list[int] = field(default_factory=list)
    unhealed: list[Unhealed] = field(default_factory=list)
    gone: list[tuple[int, int]] = field(default_factory=list)

    def polled(self, polled: Polled) -> None:
        self.journal.append("polled")
        self.polls.append(polled)

    def failed(self, failed: Failed) -> None:
        self.journal.append("failed")
        self.failures.append(failed)

    def died(self, server: str, error: Exception, *, retry_in: float) -> None:
        self.journal.append("died")

    def only_not_found(self, server: str, *, times: int) -> None:
        self.journal.append("only not found")

    def quota_short(self, server: str, text: str) -> None:
        self.journal.append("quota short")

    def overrun(self, server: str, *, slots: int) -> None:
        self.journal.append("overrun")
        self.overruns.append(slots)

    def dropped(self, told: Mapping[str, Told]) -> None:
        self.drops.extend(one.dropped for one in told.values())

    def committed(self, shard: int, told: Mapping[str, Told], *, seconds: float) -> None:
        self.journal.append("committed")
        self.commits.append(told)

    def commit_failed(self, shard: int, error: KafkaFailed, *, pending: int, retry_in: float) -> None:
        self.journal.append(f"commit failed: {type(error).__name__}")
        self.commit_failures.append(error)

    def fenced_repeatedly(self, shard: int, *, times: int, seconds: float) -> None:
        self.journal.append("fenced repeatedly")
        self.fences.append((shard, times, seconds))

    def not_healed(self, unhealed: Unhealed) -> None:
        self.journal.append("not healed")
        self.unhealed.append(unhealed)

    def restoring(self, shard: int, progress: Progress, *, seconds: float) -> None:
        self.journal.append("restoring")
        self.progress.append((progress, seconds))

    def restored(self, shard: int, servers: Sequence[str], *, ids: int, seconds: float) -> None:
        self.journal.append("restored")
        self.restores.append(Restored(shard, servers, ids))

    def cursor_ahead(self, server: str) -> None:
        self.journal.append("cursor ahead")
        self.ahead.append(server)

    def unknown_sources(self, shard: int, servers: Sequence[str]) -> None:
        self.unknown.append(servers)

    def given_up(self, shard: int, servers: Sequence[str], *, pending: int) -> None:
        self.journal.append("given up")
        self.gone.append((shard, pending))
