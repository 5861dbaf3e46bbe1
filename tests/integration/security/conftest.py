"""One secured broker for all of these tests, and its certificates."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from producer.demo.broker import EmbeddedKafka
from producer.demo.simulator import Simulator
from tests.conftest import started
from tests.integration.security.certificates import Authority
from tests.integration.security.grants import Acls
from tests.integration.security.secured import secured_kafka


@dataclass(frozen=True, slots=True)
class Secured:
    """The broker, who signed its certificates, and its ACLs."""

    kafka: EmbeddedKafka
    authority: Authority
    folder: Path
    acls: Acls

    @property
    def inside(self) -> str:
        """The listener where everybody may do everything."""
        return self.kafka.address("INTERNAL")


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A broker that lets nobody do anything yet."""
    folder = tmp_path_factory.mktemp("secured")
    authority = Authority(folder, "ca")
    with started(secured_kafka(folder, authority)) as kafka:
        yield Secured(kafka, authority, folder, Acls(kafka.address("INTERNAL")))


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    """An API with a few hits a second."""
    async with Simulator(rate=5, window=10) as one:
        yield one
