"""What Prometheus scrapes: every metric, once, with its labels and its meaning. The only home of prometheus_client.

The documents' table and the check of alert rules and dashboard are made from `Metrics.table()`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector

from producer.errors import BadToken, NotASnapshot, PendingFull, PollFailed, QuotaSpent, Refused, Retry, SlowDown
from producer.model import Drift, GapKind, Method
from producer.observe.delays import Delays
from producer.observe.status import ServiceStatus

PREFIX: Final = "wolkvox_hits_"
POLL_OK: Final = "ok"
POLL_OUTCOMES: Final = (
    POLL_OK,
    *(
        error.outcome
        for error in (Retry, SlowDown, QuotaSpent, BadToken, Refused, PendingFull, NotASnapshot, PollFailed)
    ),
)
RESULTS: Final = ("published", "changed", "duplicate", "dead_lettered", "unmarked")
DROPPED: Final = {
    "superseded": "another owner may have told and forgotten them",
    "elsewhere": "another instance polls this source, and PENDING_LIMIT needed the room",
}
"""Each `reason` for which hits that waited are not published, in words."""
DRIFT: Final = {
    Drift.TOP_LEVEL_LIST: "the rows without their envelope",
    Drift.DATA_OBJECT: "rows in an object, or beside an empty `data`",
    Drift.NO_CODE: "rows without a code",
    Drift.CONTRADICTION: "rows, and an error beside them",
    Drift.CACHED: "answers from a cache, by their Age: what is later is not covered",
    Drift.STANDS_STILL: "reports with the same rows for longer than `WOLKVOX_WINDOW`: a quiet hour, or a cache",
    Drift.CONTENT_ENCODING: "a Content-Encoding that is none, or bytes behind compressed ones",
    Drift.DIRT: "text around the one envelope: a notice, tags, a byte order mark",
    Drift.NOT_UTF8: "texts in one-byte accents",
    Drift.TOLERANT_PARSE: "JSON that only the tolerant parser reads",
    Drift.NUMBER_ID: "ids that are numbers and not texts",
    Drift.TOTAL_LINE: "the report's own summary lines",
}
"""Each `kind` of what is odd about an answer yet understood, in words."""
TRANSACTION_OUTCOMES: Final = ("committed", "failed", "fenced", "too_large")
_BESIDE_SERVER: Final = {
    "outcome": POLL_OUTCOMES,
    "result": RESULTS,
    "reason": tuple(DROPPED),
    "method": tuple(method.value for method in Method),
}
"""What the labels of a source's series can be, beside `server`."""
_POLL_BUCKETS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 120.0)


@dataclass(frozen=True, slots=True)
class _Described:
    name: str
    type: str
    labels: tuple[str, ...]
    meaning: str
    metric: MetricWrapperBase | None


class Metrics:
    """One process's metrics in a registry of their own; each attribute is the metric of that name, less the prefix.

    Series of a source appear with `follow` (at nought, so that the first increase is seen) and go with `forget`.
    """

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # twice the series, for what no alert asks
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._table: list[_Described] = []
        self._define_polls()
        self._define_state()
        self._define_losses()
        self._define_kafka()

    def _define_polls(self) -> None:
        self.polls_total = self._counter(
            "polls_total", f"Polls by how they ended: {', '.join(POLL_OUTCOMES)}.", "server", "outcome"
        )
        self.poll_seconds = self._histogram("poll_seconds", "From the request to the end of the answer.", "server")
        self.rows_total = self._counter(
            "rows_total", f"Rows by what became of them: {', '.join(RESULTS)}.", "server", "result"
        )
        self.snapshot_rows = self._gauge("snapshot_rows", "Rows in the last snapshot.", "server")
        self.newest_row_timestamp_seconds = self._gauge(
            "newest_row_timestamp_seconds", "The latest date of the rows seen so far, in Unix time.", "server"
        )
        self.dates_unparsed_total = self._counter(
            "dates_unparsed_total", "New rows whose date is none that we can read.", "server"
        )
        self.drift_total = self._counter(
            "drift_total", "What was odd about answers that were understood all the same.", "kind"
        )

    def _define_state(self) -> None:
        self.window_ids = self._gauge("window_ids", "Ids remembered so that they are not published twice.", "server")
        self.pending_hits = self._gauge("pending_hits", "Hits read and not yet committed.", "server")
        self.last_success_timestamp_seconds = self._gauge(
            "last_success_timestamp_seconds", "When the last snapshot was read, in Unix time.", "server"
        )
        self.seconds_until_data_loss = self._gauge(
            "seconds_until_data_loss",
            "Until hits may leave the API's window unseen; below nought: since when.",
            "server",
        )

    def _define_losses(self) -> None:
        self.coverage_gaps_total = self._counter(
            "coverage_gaps_total", "Stretches of time that no snapshot covered.", "kind"
        )
        self.coverage_gap_seconds_total = self._counter(
            "coverage_gap_seconds_total", "Length of the time that no snapshot covered.", "server"
        )
        self.snapshot_truncated_total = self._counter(
            "snapshot_truncated_total", "Snapshots as long as the API's cap.", "server"
        )
        self.pending_dropped_total = self._counter(
            "pending_dropped_total", "Hits that waited and were not published.", "server", "reason"
        )
        self.gaps_waiting = self._gauge("gaps_waiting", "Told gaps that wait to be healed: RECOVER_GAPS.", "server")
        self.recovered_total = self._counter(
            "recovered_total", "Hits published that no snapshot showed, by where they were found.", "server", "method"
        )
        self.gaps_recovered_total = self._counter("gaps_recovered_total", "Gaps that were healed.", "server")
        self.history_disagreements_total = self._counter(
            "history_disagreements_total",
            "Times that the historical reports knew hits by other ids than they were told by: nothing was published.",
            "server",
        )
        for odd in DRIFT:
            self.drift_total.labels(kind=odd.value)
        for kind in GapKind:
            self.coverage_gaps_total.labels(kind=kind.value)

    def _define_kafka(self) -> None:
        self.transactions_total = self._counter(
            "transactions_total", f"Kafka transactions by how they ended: {', '.join(TRANSACTION_OUTCOMES)}.", "outcome"
        )
        self.publish_delay_seconds = self._delays(
            "publish_delay_seconds",
            "From a hit's own date to its commit; without those that were older than an hour when first seen, such as "
            "chats, which are dated when they are opened.",
        )
        self.owned_shards = self._gauge("owned_shards", "Ledger partitions that this instance owns.")
        self.unknown_sources = self._gauge(
            "unknown_sources", "Servers in owned ledger partitions that the settings lack: nobody may poll them."
        )
        for outcome in TRANSACTION_OUTCOMES:
            self.transactions_total.labels(outcome=outcome)

    def follow(self, server: str) -> None:
        """Show a source's counters at nought before anything has happened; those it has already stay as they are."""
        for outcome in POLL_OUTCOMES:
            self.polls_total.labels(server=server, outcome=outcome)
        for result in RESULTS:
            self.rows_total.labels(server=server, result=result)
        for reason in DROPPED:
            self.pending_dropped_total.labels(server=server, reason=reason)
        self.poll_seconds.labels(server=server)
        self.recovered_total.labels(server=server, method=Method.HISTORY.value)
        for counter in (
            self.dates_unparsed_total,
            self.coverage_gap_seconds_total,
            self.snapshot_truncated_total,
            self.gaps_recovered_total,
            self.history_disagreements_total,
        ):
            counter.labels(server=server)

    def forget(self, server: str) -> None:
        """Remove a source's series: another instance shows them now, and an old value would hide its silence.

        By all their labels: a search by `server` alone reads the series of all sources, and a shard that went elsewhere
        with 83 of 1,000 held the loop for 1.3 s.
        """
        known = {**_BESIDE_SERVER, "server": (server,)}
        for row in self._table:
            if row.metric is not None and "server" in row.labels:
                for values in product(*(known[label] for label in row.labels)):
                    row.metric.remove(*values)

    def reflect(self, status: ServiceStatus) -> None:
        """Set the gauges that the status knows too; they stay as they are until the next scrape."""
        self.owned_shards.set(len(status.shards))
        for source in status.sources:
            if not source.owned:
                continue
            self.pending_hits.labels(server=source.server).set(source.pending)
            self.gaps_waiting.labels(server=source.server).set(source.gaps_waiting)
            if source.last_success is not None:
                self.last_success_timestamp_seconds.labels(server=source.server).set(source.last_success)
            if source.seconds_until_data_loss is not None:
                self.seconds_until_data_loss.labels(server=source.server).set(source.seconds_until_data_loss)

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """Everything as text, and its content type: OpenMetrics if the Accept header asks for it, else Prometheus'."""
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # the client compares the version asked for, whatever it is, with numbers
            encode, content_type = choose_encoder("")
        return encode(self.registry), content_type

    def table(self) -> list[tuple[str, str, str, str]]:
        """The documents' table: name as scraped, type, labels, meaning; our own metrics, not those of the process."""
        return [(PREFIX + row.name, row.type, ", ".join(row.labels), row.meaning) for row in self._table]

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        metric = Counter(PREFIX + name, meaning, labels, registry=self.registry)
        self._table.append(_Described(name, "counter", labels, meaning, metric))
        return metric

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        metric = Gauge(PREFIX + name, meaning, labels, registry=self.registry)
        self._table.append(_Described(name, "gauge", labels, meaning, metric))
        return metric

    def _histogram(self, name: str, meaning: str, *labels: str) -> Histogram:
        metric = Histogram(PREFIX + name, meaning, labels, buckets=_POLL_BUCKETS, registry=self.registry)
        self._table.append(_Described(name, "histogram", labels, meaning, metric))
        return metric

    def _delays(self, name: str, meaning: str) -> Delays:
        delays = Delays()
        self.registry.register(_DelayCollector(PREFIX + name, meaning, delays))
        self._table.append(_Described(name, "histogram", (), meaning, None))
        return delays


class _DelayCollector(Collector):
    """Shows Delays as a histogram."""

    def __init__(self, name: str, meaning: str, delays: Delays) -> None:
        self._name = name
        self._meaning = meaning
        self._delays = delays

    def collect(self) -> Iterable[HistogramMetricFamily]:
        buckets = self._delays.cumulative()
        yield HistogramMetricFamily(self._name, self._meaning, buckets=buckets, sum_value=self._delays.sum)
