"""The service at one moment, in the words of the status page, the probes and the metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from producer import __version__
from producer.clock import Clock, elapsed
from producer.core.fleet import Fleet
from producer.core.shard import Shard
from producer.errors import (
    AccessDenied,
    BadToken,
    KafkaFailed,
    NoRegistry,
    PendingFull,
    QuotaSpent,
    Refused,
    SlowDown,
    Unavailable,
    Untrusted,
)
from producer.model import Progress
from producer.observe.observer import ServiceObserver
from producer.observe.status import KafkaState, ServiceStatus, SourceState, SourceStatus
from producer.service.cluster import Cluster
from producer.service.wiring import Wiring
from producer.settings import Settings

SLOW, SILENT = 5.0, 10.0
"""Seconds that a transaction may take: until the page says that a source waits, until Kafka counts as not committing.

One of 60,000 rows takes less than a second. The producer itself gives up only after COMMIT_BOUND, and knows it then.
"""

_STATES = (
    (BadToken, SourceState.BAD_TOKEN),
    (QuotaSpent, SourceState.QUOTA_SPENT),
    (Refused, SourceState.REFUSED),
    (SlowDown, SourceState.SLOWED),
    (PendingFull, SourceState.FULL),
)


class Overview:
    """Looks at the parts whenever it is asked."""

    def __init__(
        self,
        settings: Settings,
        *,
        instance: str,
        wiring: Wiring,
        cluster: Cluster,
        fleet: Fleet,
        observer: ServiceObserver,
        clock: Clock,
    ) -> None:
        self._settings = {one.server: one for one in settings.sources}
        self._instance = instance
        self._wiring = wiring
        self._observer = observer
        self._clock = clock
        self._started = clock.now().wall
        self._cluster = cluster
        self._fleet = fleet
        self.failure: KafkaFailed | None = None
        """Why the cluster or the group can't be used at present."""

    def status(self) -> ServiceStatus:
        """Everything, as of now."""
        owned = self._fleet.owned
        kafka = self._kafka(owned)
        sources = tuple(self._source(server, owned) for server in self._settings)
        return ServiceStatus(
            instance=self._instance,
            version=__version__,
            kafka=kafka,
            shards=tuple(sorted(owned)),
            sources=sources,
            now=self._clock.now().wall,
            started=self._started,
            unready=tuple(self._unready(kafka, sources)),
            stuck=tuple(self._stuck()),
        )

    def window_ids(self) -> Mapping[str, int]:
        """Ids remembered, by owned source."""
        owned = self._fleet.owned
        return {
            server: len(source.hits) + len(source.dead)
            for server, source in self._wiring.sources.items()
            if self._cluster.shards.get(server) in owned
        }

    def _kafka(self, owned: Mapping[int, Shard]) -> KafkaState:
        failures = [self.failure, *(shard.failure for shard in owned.values())]
        for failure in filter(None, failures):
            if isinstance(failure, AccessDenied):
                return KafkaState.REFUSED
            if isinstance(failure, Untrusted):
                return KafkaState.UNTRUSTED
            if isinstance(failure, NoRegistry):
                return KafkaState.NO_REGISTRY
            return KafkaState.UNREACHABLE if isinstance(failure, Unavailable) else KafkaState.FAILING
        if any(shard.committing_for > SILENT for shard in owned.values()):
            return KafkaState.SILENT
        return KafkaState.CONNECTING if self._fleet.assigned is None else KafkaState.OK

    def _source(self, server: str, owned: Mapping[int, Shard]) -> SourceStatus:
        shard = owned.get(self._cluster.shards.get(server, -1))
        rounds, source = self._wiring.all_rounds[server], self._wiring.sources[server]
        numbers = self._observer.numbers(server)
        now = self._clock.now()
        return SourceStatus(
            server=server,
            owned=shard is not None,
            state=self._state(server, shard),
            last_success=succeeded.wall if (succeeded := rounds.state.succeeded) else None,
            next_poll=rounds.state.next_poll if shard else None,
            published=numbers.published,
            changed=numbers.changed,
            duplicate=numbers.duplicate,
            dead_lettered=numbers.dead_lettered,
            unmarked=numbers.unmarked,
            pending=len(source.pending),
            recovered=numbers.recovered,
            gaps_waiting=len(source.healing),
            unhealed=numbers.unhealed,
            seconds_until_data_loss=source.coverage.seconds_until_loss(now) if shard else None,
            error=self._error(server, shard) if shard else None,
            gaps=tuple(numbers.gaps),
            hits_per_minute=numbers.per_minute(now.wall),
        )

    def _state(self, server: str, shard: Shard | None) -> SourceState:
        state = self._wiring.all_rounds[server].state
        if shard is None:
            return SourceState.STARTING if self._fleet.assigned is None else SourceState.STANDBY
        if not shard.restored:
            return SourceState.RESTORING
        if state.failure is not None:
            return next((word for kind, word in _STATES if isinstance(state.failure, kind)), SourceState.RETRYING)
        if state.succeeded is None:
            return SourceState.STARTING
        if self._is_late(server):
            return SourceState.LATE
        waits = shard.failure is not None or shard.committing_for > SLOW
        return SourceState.WAITING_FOR_KAFKA if waits else SourceState.OK

    def _error(self, server: str, shard: Shard) -> str | None:
        """Why a source's state is not OK, as far as there is more to say."""
        if shard.progress is not None and not shard.restored:
            return _how_far(shard.progress)
        if failure := self._wiring.all_rounds[server].state.failure or shard.failure:
            return str(failure)
        seconds = shard.committing_for
        return f"committing for {seconds:.0f} s now: Kafka is slow or away" if seconds > SLOW else None

    def _is_late(self, server: str) -> bool:
        one, last = self._settings[server], self._wiring.all_rounds[server].state.succeeded
        return last is None or elapsed(last, self._clock.now()) > 2 * one.interval + one.timeout

    def _unready(self, kafka: KafkaState, sources: tuple[SourceStatus, ...]) -> Iterator[str]:
        if kafka is not KafkaState.OK:
            yield f"kafka: {kafka.value}"
        for source in sources:
            if source.owned and (source.state is SourceState.BAD_TOKEN or self._is_late(source.server)):
                restoring = source.state is SourceState.RESTORING and source.error
                yield f"source {source.server}: {source.state.value}" + (f", {source.error}" if restoring else "")

    def _stuck(self) -> Iterator[str]:
        polls = {f"the polling of {server}": one.heartbeat for server, one in self._wiring.all_rounds.items()}
        others = {"the group's member": self._cluster.heartbeat, "who follows the group's word": self._fleet.heartbeat}
        for what, heartbeat in (others | polls).items():
            if heartbeat.overdue:
                yield f"{what} stands still, {heartbeat.overdue:.0f} s longer than it ever should"


def _how_far(progress: Progress) -> str:
    return f"{progress.ids:,} ids so far, {progress.share:.0%}"
