"""200 sources, a ledger of 64 partitions, two instances: the work is shared, and one instance's death moves it all."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from producer.demo.simulator import Simulator, server_names, settings_lines
from tests.integration.service.admin import Admin
from tests.integration.service.audit import audit
from tests.integration.service.instance import Instance
from tests.integration.service.together import together

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

SOURCES = 200
SHARDS = 64


async def test_two_instances_share_200_sources_and_one_takes_over_all(kafka: str, topic: str, tmp_path: Path) -> None:
    await Admin(kafka).create(f"{topic}.ledger", SHARDS, cleanup_policy="compact")
    simulator = Simulator(servers=server_names(SOURCES), rate=0.2, window=60.0, late=0.0)
    async with simulator:
        file = tmp_path / "sources.toml"
        file.write_text("\n".join(settings_lines(simulator)))
        first, second = (Instance(name=name, environment=environment(kafka, topic, file), program=RUN) for name in "ab")
        try:
            await first.start()
            await first.until("shards_assigned", count=SHARDS)
            # The oldest hits of the first reports leave the API at once: only a commit keeps them.
            await until_polled(simulator, requests(simulator), rounds=3)
            await second.start()
            await second.until("shards_assigned", count=SHARDS // 2)
            await until_polled(simulator, requests(simulator), rounds=2)
            await first.kill()
            await second.until("shards_assigned", count=SHARDS)
            await until_polled(simulator, requests(simulator), rounds=2)
            simulator.stop_calls()
            await until_polled(simulator, requests(simulator), rounds=2)
            assert await second.stop() <= 10.0
        finally:
            await together(*(one.kill() for one in (first, second) if one.alive))
        found = await audit(kafka, topic)
    events = Counter((record.json["server"], record.key) for record in found.hits)
    shown = {(server, key) for server, source in simulator.sources.items() for key in source.shown}
    assert set(events) == shown
    assert set(events.values()) == {1}
    assert len({server for server, _ in events}) == SOURCES


RUN = ("-m", "producer", "run")


def environment(bootstrap: str, topic: str, file: Path) -> dict[str, str]:
    return {
        "WOLKVOX_HITS_CONFIG": str(file),
        "WOLKVOX_WINDOW": "40s",
        "POLL_INTERVAL": "4s",
        "POLL_TIMEOUT": "10s",
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "KAFKA_TOPIC": topic,
        "KAFKA_GROUP_ID": f"group-of-{topic}",
        "KAFKA_SESSION_TIMEOUT": "6s",
        "STATUS_PORT": "0",
    }


def requests(simulator: Simulator) -> Mapping[str, int]:
    return {server: source.polls for server, source in simulator.sources.items()}


async def until_polled(simulator: Simulator, since: Mapping[str, int], *, rounds: int) -> None:
    """Every source was polled so often since."""
    async with asyncio.timeout(60):
        await simulator.until(
            lambda: all(source.polls >= since[server] + rounds for server, source in simulator.sources.items())
        )
