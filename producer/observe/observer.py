"""What happened in the core, as log lines, metrics and the numbers of the status page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from producer.clock import Clock
from producer.core.ports import Failed, Polled, Told, Unhealed
from producer.errors import Fenced, KafkaFailed, PendingFull, TooLarge, Unavailable
from producer.model import Progress
from producer.observe.gaps import Gaps
from producer.observe.logs import context, get_logger
from producer.observe.metrics import DROPPED, POLL_OK, Metrics
from producer.observe.numbers import Numbers

_log = get_logger(__name__)

UNMARKED = (
    "their `hit` is empty or says no, like that of calls which are not typified yet. WOLKVOX_HITS is `all`: they are "
    "told, and what becomes of them is told as a change; with `marked` a row is told when it says that it is a hit"
)


class ServiceObserver:
    """The Observer of the running service."""

    def __init__(self, *, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._numbers: dict[str, Numbers] = {}
        self._gaps = Gaps(metrics=metrics, numbers=self.numbers)
        self._unknown: dict[int, int] = {}
        self._failures: dict[str, int] = {}
        self._doubtful: set[str] = set()

    def numbers(self, server: str) -> Numbers:
        """A source's numbers so far."""
        return self._numbers.setdefault(server, Numbers())

    def polled(self, polled: Polled) -> None:
        """A snapshot was taken."""
        self._count_poll(polled)
        with context(server=polled.server, poll=polled.poll):
            if failures := self._failures.pop(polled.server, 0):
                _log.info("poll_recovered", attempt=failures)
            _log.info(
                "poll_done",
                rows=polled.rows,
                new=polled.new,
                changed=polled.changed,
                duplicate=polled.duplicate,
                dead=polled.dead,
                unmarked=polled.unmarked,
                pending=polled.pending,
                milliseconds=round(polled.seconds * 1000),
            )
            if polled.drift:
                _log.warning("api_drift", drift=dict(polled.drift))
            if polled.doubtful and polled.server not in self._doubtful:
                self._doubtful.add(polled.server)
                _log.warning("unmarked_hits", count=polled.doubtful, problem=UNMARKED)

    def failed(self, failed: Failed) -> None:
        """A poll brought no snapshot."""
        self._failures[failed.server] = self._failures.get(failed.server, 0) + 1
        self._metrics.polls_total.labels(server=failed.server, outcome=failed.error.outcome).inc()
        with context(server=failed.server, poll=failed.poll):
            if isinstance(failed.error, PendingFull):
                _log.error("pending_limit_reached", problem=str(failed.error))
            _log.warning(
                "poll_failed",
                outcome=failed.error.outcome,
                error=failed.error,
                attempt=self._failures[failed.server],
                milliseconds=round(failed.seconds * 1000),
                retry_in=round(failed.retry_in, 1),
            )

    def died(self, server: str, error: Exception, *, retry_in: float) -> None:
        """A source's polling or healing ended on a defect of ours; it begins again."""
        _log.error("polling_died", server=server, exception=error, retry_in=round(retry_in, 1))

    def only_not_found(self, server: str, *, times: int) -> None:
        """The API has only ever answered 404."""
        _log.warning("report_missing", server=server, attempt=times)

    def quota_short(self, server: str, text: str) -> None:
        """The interval would use up the operation's calls of a day."""
        _log.warning("quota_short", server=server, problem=text)

    def overrun(self, server: str, *, slots: int) -> None:
        """A poll took longer than the interval."""
        _log.warning("poll_overrun", server=server, count=slots)

    def dropped(self, told: Mapping[str, Told]) -> None:
        """What left pending without a record of its own."""
        for server, one in told.items():
            drop = one.dropped
            self._gaps.told(drop.gaps)
            self._count_rows(
                server,
                published=drop.confirmed - drop.confirmed_dead - drop.confirmed_changed,
                changed=drop.confirmed_changed,
                duplicate=drop.duplicate,
                dead_lettered=drop.confirmed_dead,
            )
            for reason, count in (("superseded", drop.superseded), ("elsewhere", drop.elsewhere)):
                if count:
                    self._metrics.pending_dropped_total.labels(server=server, reason=reason).inc(count)
                    _log.warning("rows_dropped", server=server, count=count, cause=f"{reason}: {DROPPED[reason]}")

    def committed(self, shard: int, told: Mapping[str, Told], *, seconds: float) -> None:
        """A transaction is on Kafka."""
        self._metrics.transactions_total.labels(outcome="committed").inc()
        for server, one in told.items():
            self._count_rows(server, published=one.published, changed=one.changed, dead_lettered=one.dead_lettered)
            self._metrics.publish_delay_seconds.observe(one.delays)
            self._gaps.told(one.gaps)
            self._gaps.recovered(server, one.recovered, one.recoveries)
        _log.info(
            "committed",
            shard=shard,
            events=sum(one.published + one.recovered.total() for one in told.values()),
            changes=sum(one.changed for one in told.values()),
            dead_letters=sum(one.dead_lettered for one in told.values()),
            gaps=sum(len(one.gaps) for one in told.values()),
            milliseconds=round(seconds * 1000),
        )

    def commit_failed(self, shard: int, error: KafkaFailed, *, pending: int, retry_in: float) -> None:
        """A transaction or the taking of a shard failed."""
        outcome = "fenced" if isinstance(error, Fenced) else "too_large" if isinstance(error, TooLarge) else "failed"
        self._metrics.transactions_total.labels(outcome=outcome).inc()
        if isinstance(error, Fenced):
            _log.warning("fenced", shard=shard, retry_in=round(retry_in, 1))
        elif isinstance(error, Unavailable):
            _log.warning("kafka_unavailable", shard=shard, error=error, retry_in=round(retry_in, 1))
        else:
            retry = round(retry_in, 1)
            _log.warning("commit_failed", shard=shard, error=error, pending=pending, retry_in=retry)

    def fenced_repeatedly(self, shard: int, *, times: int, seconds: float) -> None:
        """Fenced again and again while the group says the shard is ours."""
        _log.error(
            "fenced_repeatedly",
            shard=shard,
            attempt=times,
            cause=f"{times} times in {seconds:.0f} s another producer took this shard's transactional id while the "
            "group says it is ours: is there a service with another KAFKA_GROUP_ID on the same KAFKA_TOPIC?",
        )

    def not_healed(self, unhealed: Unhealed) -> None:
        """A gap that waits was looked into, and waits on or is given up."""
        self._gaps.not_healed(unhealed)

    def restoring(self, shard: int, progress: Progress, *, seconds: float) -> None:
        """A shard's ledger is being read."""
        percent = round(100 * progress.share)
        _log.info("restoring", shard=shard, ids=progress.ids, percent=percent, seconds=round(seconds, 1))

    def restored(self, shard: int, servers: Sequence[str], *, ids: int, seconds: float) -> None:
        """A shard was taken and its ledger read."""
        for server in servers:
            self._metrics.follow(server)
        _log.info("shard_taken", shard=shard, servers=list(servers), ids=ids, milliseconds=round(seconds * 1000))

    def cursor_ahead(self, server: str) -> None:
        """The ledger's cursor is later than our clock."""
        _log.warning("cursor_ahead_of_clock", server=server)

    def unknown_sources(self, shard: int, servers: Sequence[str]) -> None:
        """The ledger's partition holds these servers that the settings lack."""
        self._unknown[shard] = len(servers)
        self._metrics.unknown_sources.set(sum(self._unknown.values()))
        if servers:
            _log.warning("unknown_sources", shard=shard, servers=list(servers))

    def given_up(self, shard: int, servers: Sequence[str], *, pending: int) -> None:
        """A shard went elsewhere."""
        self._unknown.pop(shard, None)
        self._metrics.unknown_sources.set(sum(self._unknown.values()))
        for server in servers:
            self._metrics.forget(server)
            self._failures.pop(server, None)
        _log.info("shard_given_up", shard=shard, pending=pending)

    def _count_poll(self, polled: Polled) -> None:
        server, metrics, now = polled.server, self._metrics, self._clock.now().wall
        numbers = self.numbers(server)
        metrics.polls_total.labels(server=server, outcome=POLL_OK).inc()
        metrics.poll_seconds.labels(server=server).observe(polled.fetch_seconds)
        metrics.snapshot_rows.labels(server=server).set(polled.rows)
        if polled.newest is not None:
            # A date to come says nothing of now, and would hide for as long that no other row comes.
            numbers.newest = max(numbers.newest, min(polled.newest, now))
            metrics.newest_row_timestamp_seconds.labels(server=server).set(numbers.newest)
        if polled.dates_unparsed:
            metrics.dates_unparsed_total.labels(server=server).inc(polled.dates_unparsed)
        if polled.truncated:
            metrics.snapshot_truncated_total.labels(server=server).inc()
        for kind, count in polled.drift.items():
            metrics.drift_total.labels(kind=kind).inc(count)
        self._count_rows(server, duplicate=polled.duplicate, unmarked=polled.unmarked)
        numbers.count_new(polled.new, now)

    def _count_rows(
        self,
        server: str,
        *,
        published: int = 0,
        changed: int = 0,
        duplicate: int = 0,
        dead_lettered: int = 0,
        unmarked: int = 0,
    ) -> None:
        numbers = self.numbers(server)
        numbers.published += published
        numbers.changed += changed
        numbers.duplicate += duplicate
        numbers.dead_lettered += dead_lettered
        numbers.unmarked += unmarked
        counted = {
            "published": published,
            "changed": changed,
            "duplicate": duplicate,
            "dead_lettered": dead_lettered,
            "unmarked": unmarked,
        }
        for result, count in counted.items():
            if count:
                self._metrics.rows_total.labels(server=server, result=result).inc(count)
