"""What the service tells about its state: the words of the status page and of /status.json. Plain data, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from producer.clock import rfc3339
from producer.model import Gap

MINUTES = 60
"""How far back the page's plot reaches."""


class SourceState(StrEnum):
    """How a source is, in the words that a person reads."""

    OK = "ok"
    STARTING = "starting"
    RESTORING = "reading the ledger"
    STANDBY = "standby"
    RETRYING = "retrying"
    SLOWED = "token in use elsewhere"
    LATE = "late"
    WAITING_FOR_KAFKA = "waiting for kafka"
    FULL = "pending limit reached"
    QUOTA_SPENT = "quota spent"
    REFUSED = "refused"
    BAD_TOKEN = "bad token"  # noqa: S105 (a state, no secret)


class KafkaState(StrEnum):
    """How Kafka is, as far as this instance sees."""

    OK = "ok"
    CONNECTING = "connecting"
    UNREACHABLE = "unreachable"
    NO_REGISTRY = "waiting for the schema registry"
    SILENT = "does not answer"
    FAILING = "transactions fail"
    REFUSED = "access refused"
    UNTRUSTED = "topic refused"


_TROUBLE: Final = {
    SourceState.OK: 0,
    SourceState.STANDBY: 0,
    SourceState.STARTING: 1,
    SourceState.RESTORING: 1,
    SourceState.RETRYING: 2,
    SourceState.SLOWED: 2,
    SourceState.LATE: 3,
    SourceState.WAITING_FOR_KAFKA: 3,
    SourceState.FULL: 3,
    SourceState.QUOTA_SPENT: 3,
    SourceState.REFUSED: 3,
    SourceState.BAD_TOKEN: 3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """One source; moments in Unix seconds, counts since this process began."""

    server: str
    owned: bool
    state: SourceState
    last_success: float | None = None
    next_poll: float | None = None
    published: int = 0
    changed: int = 0
    duplicate: int = 0
    dead_lettered: int = 0
    unmarked: int = 0
    pending: int = 0
    recovered: int = 0
    gaps_waiting: int = 0
    """Told gaps that wait to be healed."""
    seconds_until_data_loss: float | None = None
    error: str | None = None
    """Why the state is not OK, in our own words; None if there is nothing to say."""
    gaps: tuple[Gap, ...] = ()
    """The last few coverage gaps, newest first."""
    unhealed: str | None = None
    """Why the last gap that was looked into still waits, in our own words."""
    hits_per_minute: tuple[int, ...] = ()
    """New hits of each of the last MINUTES minutes, oldest first; empty if not known."""

    @property
    def trouble(self) -> int:
        """0 fine, 1 on its way, 2 failing but nothing is lost yet, 3 somebody must look."""
        losing = self.owned and self.seconds_until_data_loss is not None and self.seconds_until_data_loss <= 0
        return 3 if losing else _TROUBLE[self.state]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """One instance at one moment, `now` in Unix seconds."""

    instance: str
    version: str
    kafka: KafkaState
    shards: tuple[int, ...]
    sources: tuple[SourceStatus, ...]
    now: float
    started: float | None = None
    unready: tuple[str, ...] = ()
    """Why /readyz says 503, a sentence each; empty: ready."""
    stuck: tuple[str, ...] = ()
    """Why /healthz says 503, a sentence each; empty: the loops turn."""


def status_json(status: ServiceStatus) -> dict[str, Any]:
    """The body of /status.json: a public contract, exactly these fields; moments as RFC 3339 in UTC or null."""
    return {
        "instance": status.instance,
        "version": status.version,
        "kafka": status.kafka.value,
        "shards": list(status.shards),
        "sources": [source_json(source) for source in status.sources],
    }


def source_json(source: SourceStatus) -> dict[str, Any]:
    """One source of /status.json."""
    return {
        "server": source.server,
        "owned": source.owned,
        "state": source.state.value,
        "last_success": _moment(source.last_success),
        "next_poll": _moment(source.next_poll),
        "published": source.published,
        "changed": source.changed,
        "duplicate": source.duplicate,
        "dead_lettered": source.dead_lettered,
        "unmarked": source.unmarked,
        "pending": source.pending,
        "recovered": source.recovered,
        "gaps_waiting": source.gaps_waiting,
        "seconds_until_data_loss": _seconds(source.seconds_until_data_loss),
    }


def _moment(wall: float | None) -> str | None:
    return None if wall is None else rfc3339(wall)


def _seconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
