"""What becomes of coverage gaps, as log lines, metrics and numbers: told, healed, not healed yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from producer.clock import rfc3339
from producer.core.ports import Unhealed
from producer.model import Gap, GapRecovered, Method
from producer.observe.logs import get_logger
from producer.observe.metrics import Metrics
from producer.observe.numbers import Numbers

_log = get_logger(__name__)


class Gaps:
    """Of all sources; `numbers` gives those of one."""

    def __init__(self, *, metrics: Metrics, numbers: Callable[[str], Numbers]) -> None:
        self._metrics = metrics
        self._numbers = numbers

    def told(self, gaps: Sequence[Gap]) -> None:
        """Once they are events: one that waited may shrink or go, if another owner covered its time."""
        for gap in gaps:
            self._numbers(gap.server).gaps.appendleft(gap)
            self._metrics.coverage_gaps_total.labels(kind=gap.kind.value).inc()
            self._metrics.coverage_gap_seconds_total.labels(server=gap.server).inc(max(0.0, gap.end - gap.start))
            _log.warning(
                "coverage_gap",
                server=gap.server,
                kind=gap.kind.value,
                start=rfc3339(gap.start),
                end=rfc3339(gap.end),
                seconds=round(gap.end - gap.start, 3),
                certain=gap.certain,
            )

    def recovered(self, server: str, hits: Mapping[Method, int], gaps: Sequence[GapRecovered]) -> None:
        """So many hits of a server that no snapshot showed are on Kafka, and these gaps are healed by them."""
        for method, count in hits.items():
            self._numbers(server).recovered += count
            self._metrics.recovered_total.labels(server=server, method=method.value).inc(count)
        for gap in gaps:
            self._numbers(server).unhealed = None
            self._metrics.gaps_recovered_total.labels(server=server).inc()
            _log.info(
                "gap_recovered",
                server=server,
                start=rfc3339(gap.start),
                end=rfc3339(gap.end),
                method=gap.method.value,
                found=gap.found,
                published=gap.published,
                already_told=gap.already_told,
            )

    def not_healed(self, unhealed: Unhealed) -> None:
        """One that waits was looked into, and waits on or is given up."""
        server, start, end = unhealed.gap.server, rfc3339(unhealed.gap.start), rfc3339(unhealed.gap.end)
        self._numbers(server).unhealed = None if unhealed.retry_in is None else unhealed.why
        if unhealed.disagrees:
            self._metrics.history_disagreements_total.labels(server=server).inc()
        if unhealed.retry_in is None:
            _log.error("gap_given_up", server=server, start=start, end=end, problem=unhealed.why)
            return
        again = round(unhealed.retry_in, 1)
        if unhealed.disagrees:
            _log.warning("history_disagrees", server=server, start=start, end=end, problem=unhealed.why, retry_in=again)
        else:
            _log.warning("gap_not_healed", server=server, start=start, end=end, problem=unhealed.why, retry_in=again)
