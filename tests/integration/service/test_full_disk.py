"""A broker whose disk is full: Kafka takes its only log folder offline and halts; nobody at the service has to act."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from producer.demo.broker import BrokerUnavailable, EmbeddedKafka
from tests.conftest import started
from tests.integration.service.calm import calm
from tests.integration.service.conftest import Open
from tests.integration.service.small_disk import SmallDisk

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    one = SmallDisk(tmp_path / "disk")
    try:
        one.mount()
    except OSError as error:
        pytest.skip(f"a disk of its own can't be mounted here: {error}")
    try:
        yield one
    finally:
        one.unmount()


@pytest.fixture
def cramped(disk: SmallDisk, tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """A broker whose topics are on the small disk; what the controllers write is not."""
    # The format tool, because only it looks into the properties for where the data belong.
    places = {"log.dirs": str(disk.path), "metadata.log.dir": str(tmp_path / "metadata")}
    broker = EmbeddedKafka(properties=places, format_arguments=["--ignore-formatted"])
    with started(broker) as one:
        yield one


async def test_a_full_disk_costs_nothing(stages: Open, cramped: EmbeddedKafka, disk: SmallDisk) -> None:
    """What was half written is cut off at the restart; what waited meanwhile is told, once."""
    stage = await stages(bootstrap=cramped.bootstrap)
    instance = await stage.start()
    await instance.until("committed")
    since = instance.mark()
    async with calm(instance):
        disk.fill()
        await asyncio.to_thread(halted, cramped)
        await instance.until("kafka_unavailable", since=since)
        answer = await stage.page(instance, "/readyz")
        with pytest.raises(BrokerUnavailable):  # somebody starts it again before there is room
            await asyncio.to_thread(cramped.start)
        await instance.until("poll_done", since=instance.mark(), where=lambda line: line["pending"] > 0)
    assert answer.status_code == 503
    assert answer.json()["reasons"][0].startswith("kafka: ")
    disk.free()
    await asyncio.to_thread(cramped.start)
    await instance.until("committed", since=instance.mark(), where=lambda line: line["events"] > 0)
    await stage.caught_up(instance)
    await instance.stop()
    await stage.assert_exactly_once()


def halted(broker: EmbeddedKafka) -> None:
    """The broker has ended by itself, because of its disk."""
    assert broker._running().exit_status(within=60) is not None, "the broker lives on"
    log = (broker.folder / "broker.log").read_text()
    assert "No space left on device" in log
