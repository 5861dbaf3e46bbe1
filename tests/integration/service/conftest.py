"""The stage of a test, on the session's Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.service.stage import Stage


@pytest.fixture
async def stage(kafka: str, topic: str) -> AsyncIterator[Stage]:
    """A stage whose call centre is open."""
    one = Stage(bootstrap=kafka, topic=topic)
    await one.simulator.open()
    try:
        yield one
    finally:
        await one.close()
