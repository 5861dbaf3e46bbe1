"""Stages for tests: on the session's Kafka, or on a broker that tests may kill, suspend and cut off."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from tests.conftest import started
from tests.integration.service.frail import FrailKafka
from tests.integration.service.proxy import Proxy
from tests.integration.service.stage import Stage
from tests.integration.service.tap import Tap

Open = Callable[..., Awaitable[Stage]]


@pytest.fixture
async def stages(kafka: str, topic: str) -> AsyncIterator[Open]:
    """Opens stages, each with a call centre and topics of its own; what `Stage` takes may be given."""
    opened: list[Stage] = []

    async def open_one(*, bootstrap: str = kafka, **options: float) -> Stage:
        one = Stage(bootstrap=bootstrap, topic=topic.replace(".hits", f"-{len(opened)}.hits"), **options)
        opened.append(one)
        await one.simulator.open()
        return one

    try:
        yield open_one
    finally:
        for one in opened:
            await one.close()
    # Only now, when all is ended: what they said is then whole.
    for one in opened:
        one.assert_discreet()


@pytest.fixture
async def stage(stages: Open) -> Stage:
    """A stage on the session's Kafka."""
    return await stages()


@pytest.fixture(scope="session")
def outages() -> Iterator[FrailKafka]:
    """A broker that tests may kill and suspend, one for them all."""
    one = FrailKafka()
    with started(one):
        yield one


@pytest.fixture
def frail(outages: FrailKafka) -> Iterator[FrailKafka]:
    """The broker for outages, running at the start of each test."""
    outages.start()
    yield outages
    if outages.running:
        outages.resume()


@pytest.fixture
async def proxy(frail: FrailKafka) -> AsyncIterator[Proxy]:
    """The network to the broker's second listener."""
    async with Proxy(port=frail.proxy_port, target=frail.address("BEHIND_PROXY")) as one:
        yield one


@pytest.fixture
async def tap(frail: FrailKafka) -> AsyncIterator[Tap]:
    """The same network, where each word is counted."""
    async with Tap(port=frail.proxy_port, target=frail.address("BEHIND_PROXY")) as one:
        yield one
