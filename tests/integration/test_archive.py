"""Kafka's classes in a file of Java's: brokers use it where it fits, and do without where it doesn't."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from producer.demo.broker import BrokerUnavailable, EmbeddedKafka, archive
from producer.demo.broker.distribution import Distribution
from tests.conftest import not_to_be_had
from tests.matrix import kafkas

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Distribution:
    """A Kafka with an archive of its own."""
    try:
        found = kafkas.chosen()(None)
    except BrokerUnavailable as error:
        not_to_be_had("Kafka", error)
    kafka = replace(found, folder=tmp_path_factory.mktemp("cache"), options=())
    left = archive.partial(kafka)
    left.mkdir()
    (left / "archive").write_text("of one that was killed")
    archive.write(kafka)
    return kafka


def test_a_broker_runs_on_it(written: Distribution) -> None:
    assert archive.usable(written)
    assert _mapped(written.quickened())


def test_nothing_is_left_beside_it_of_this_writing_or_of_one_that_was_killed(written: Distribution) -> None:
    assert not archive.partial(written).exists()


def test_there_is_none_before_it_is_written(written: Distribution, tmp_path: Path) -> None:
    none = replace(written, folder=tmp_path)
    assert not archive.usable(none)
    assert none.quickened() == none


@pytest.mark.parametrize("length", [0, 4096, -4096])
def test_a_broken_one_is_not_used(written: Distribution, tmp_path: Path, length: int) -> None:
    broken = replace(written, folder=tmp_path)
    broken.archive.write_bytes(written.archive.read_bytes()[:length])
    assert not archive.usable(broken)


def test_a_broker_runs_beside_a_broken_one(written: Distribution, tmp_path: Path) -> None:
    broken = replace(written, folder=tmp_path)
    broken.archive.write_bytes(written.archive.read_bytes()[:4096])
    assert not _mapped(broken.quickened())


def test_it_is_not_used_for_other_jars(written: Distribution) -> None:
    assert not archive.usable(replace(written, jars=written.jars[1:]))


def test_where_none_can_be_written_that_is_told_and_nothing_more() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", archive.__name__],
        env={"WOLKVOX_HITS_CACHE": "/dev/null"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "start slower" in ended.stderr


def _mapped(kafka: Distribution) -> bool:
    """Whether a broker that was started from it has the archive in memory."""
    with EmbeddedKafka(install=lambda _: kafka) as broker:
        return str(kafka.archive) in {mapped.path for mapped in psutil.Process(broker.pid).memory_maps()}
