"""Fixtures that several test packages share: Kafka, real and embedded, and the watch for what a test leaves behind."""

from __future__ import annotations

import asyncio
import inspect
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from typing import NoReturn, TypeVar

import psutil
import pytest
from hypothesis import HealthCheck, settings

from producer.demo.broker import BrokerUnavailable, EmbeddedCluster, EmbeddedKafka
from tests.integration.registry.apicurio import apicurio
from tests.matrix import kafkas

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

K = TypeVar("K", EmbeddedKafka, EmbeddedCluster)


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The bootstrap servers of the session's Kafka: TEST_KAFKA_BOOTSTRAP, else one embedded broker, started now."""
    if given := os.environ.get("TEST_KAFKA_BOOTSTRAP"):
        yield given
        return
    with started(EmbeddedKafka(install=kafkas.chosen())) as one:
        yield one.bootstrap


@pytest.fixture(scope="session")
def registry() -> Iterator[str]:
    """The address of the session's schema registry, a real one."""
    with ExitStack() as stack:
        try:
            address = stack.enter_context(apicurio())
        except BrokerUnavailable as error:
            not_to_be_had("A schema registry", error)
        yield address


@pytest.fixture
def broker() -> Iterator[EmbeddedKafka]:
    """A broker of the test's own, to kill, suspend and restart."""
    with started(EmbeddedKafka(install=kafkas.chosen())) as one:
        yield one


@pytest.fixture
def cluster() -> Iterator[EmbeddedCluster]:
    """Three brokers of the test's own, replicating to one another."""
    with started(EmbeddedCluster(install=kafkas.chosen())) as three:
        yield three


@pytest.fixture
def topic() -> str:
    """A base topic name that nobody else uses."""
    return f"t-{uuid.uuid4().hex[:12]}.hits"


@pytest.fixture(autouse=True)
def no_process_left() -> Iterator[None]:
    """Fails a test that ends before the processes it started."""
    before = set(psutil.Process().children())
    yield
    # One that is on its way out gets a moment; a zombie counts: its owner did not wait for it.
    _, left = psutil.wait_procs(set(psutil.Process().children()) - before, timeout=2)
    assert not left, f"left running: {left}"


@pytest.fixture
async def no_task_left() -> AsyncIterator[None]:
    """Fails an async test whose loop still has tasks after its fixtures were torn down."""
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    if left:  # cancelled ones get a moment to end
        _, left = await asyncio.wait(left, timeout=1)
    assert not left, f"still running: {left}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts `no_task_left` around every async test; `@pytest.mark.leaves_tasks` on those that leave some on purpose."""
    for item in items:
        if not isinstance(item, pytest.Function) or item.get_closest_marker("leaves_tasks"):
            continue
        if inspect.iscoroutinefunction(item.obj):
            item.fixturenames.insert(0, "no_task_left")  # first set up, so last torn down


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "leaves_tasks: leaves asyncio tasks behind on purpose; say why beside it")


def not_to_be_had(what: str, error: BrokerUnavailable) -> NoReturn:
    """Skips the test, with the reason; where it is required the test fails."""
    if os.environ.get("CI") or os.environ.get("WOLKVOX_HITS_REQUIRE_KAFKA") == "1":
        pytest.fail(f"{what} is required here. {error}", pytrace=False)
    pytest.skip(str(error))


@contextmanager
def started(kafka: K) -> Iterator[K]:
    """Starts it for a test; where no Kafka can be had the test is skipped, or failed where one is required."""
    try:
        kafka.start()
    except BrokerUnavailable as error:
        kafka.close()
        not_to_be_had("Kafka", error)
    try:
        yield kafka
    finally:
        kafka.close()
