"""The simulated store under the contract that the real one is held to, so that the model can't drift."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from math import inf
from random import Random

import pytest

from producer.core.ports import ShardStore
from producer.model import Topic
from tests.contracts.test_shard_store import *  # noqa: F403 (the same tests, on another world)
from tests.contracts.worlds import MemoryWorld, Read, World
from tests.simulation.broker import CommitFault, SimulatedKafka, SimulatedStore
from tests.simulation.processes import Process
from tests.twins.memory_kafka import Where


class Fair:
    """Nothing goes wrong."""

    def reachable(self, process: Process) -> bool:
        return True

    def commit_fault(self, process: Process, rng: Random) -> CommitFault:
        return CommitFault.NONE

    def batch_fails(self, process: Process, rng: Random) -> bool:
        return False

    def take_fails(self, process: Process, rng: Random) -> bool:
        return False

    def step(self, process: Process, rng: Random) -> float:
        return 0.0

    def known_end(self, process: Process, where: Where) -> float:
        return inf


class SimulatedWorld(MemoryWorld):
    """The contract's world on the simulation's Kafka; the end of a transaction takes a tenth of a second to be seen."""

    def __init__(self) -> None:
        self._kafka = SimulatedKafka(marker_delay=lambda: 0.1, on_commit=lambda _contents: None)

    def store(self, number: int, servers: Sequence[str] = ()) -> ShardStore:
        process, rng = Process("contract"), Random(1)
        return SimulatedStore(self._kafka, Fair(), process, number=number, servers=servers, rng=rng, batch=7)

    async def read(self, topic: Topic) -> list[Read]:
        await self._seen()
        return await super().read(topic)

    async def headers(self, topic: Topic) -> list[Sequence[tuple[str, bytes]]]:
        await self._seen()
        return await super().headers(topic)

    async def _seen(self) -> None:
        await asyncio.sleep(0.15)


@pytest.fixture  # type: ignore[no-redef]  # in place of the contract's own
async def world() -> World:
    """The model of Kafka that the seeds run on."""
    return SimulatedWorld()
