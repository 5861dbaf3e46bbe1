"""A real Prometheus scrapes a running service: the metrics, the rules and the dashboard's queries, on live data."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from producer.observe.metrics import Metrics
from tests.integration.consumers.prometheus import prometheus
from tests.integration.service.stage import Stage
from tests.meta.test_ops import dashboard_expressions

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="no Prometheus here: apt-get install prometheus"),
]
ONLY_IF_SOMETHING_HAPPENED = {"wolkvox_hits_pending_dropped_total"}
VARIABLES = {"$server": ".*", "$__rate_interval": "1m"}


def queries() -> list[str]:
    """The dashboard's, as Grafana sends them."""
    found = []
    for expression in dashboard_expressions():
        for name, value in VARIABLES.items():
            expression = expression.replace(name, value)  # noqa: PLW2901 (one after the other)
        if not expression.startswith("label_values"):
            found.append(expression)
    return found


async def test_a_healthy_service_is_seen_and_raises_no_alert_and_a_stopped_one_does(
    kafka: str, topic: str, tmp_path: Path
) -> None:
    stage = Stage(bootstrap=kafka, topic=topic)
    await stage.simulator.open()
    try:
        service = await stage.start(WOLKVOX_WINDOW="10m")
        await service.until("committed", where=lambda line: bool(line["events"]))
        target = (await service.until("status_listening"))["url"]
        async with prometheus(tmp_path, target=target) as one:
            await one.until(
                lambda: one.query('min_over_time(wolkvox_hits_rows_total{result="published"}[1m]) > 0'), bool
            )
            for name, kind, *_ in Metrics().table():
                if name not in ONLY_IF_SOMETHING_HAPPENED:
                    assert await one.query(name + "_count" * (kind == "histogram")), name
            for query in queries():
                await one.query(query)

            # Not before each rule was evaluated with a scrape behind it.
            await one.until(one.rules, lambda rules: all(rule["health"] == "ok" for rule in rules))
            await one.until(one.raised, lambda raised: raised == set())
            await service.stop()
            await one.until(one.raised, lambda raised: raised == RAISED)
    finally:
        await stage.close()


RAISED = {"WolkvoxHitsInstanceDown", "WolkvoxHitsNothingPolled", "WolkvoxHitsSourceNotPolled"}
"""What a service that stopped raises, once it has lasted for some minutes."""
