"""Kafka's twins with all that lies between a request and its effect: a network, a coordinator, markers that take time.

What a process sent lands although the process is paused or dead; what it is told may be nothing, or late, or wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum, auto
from random import Random
from typing import Protocol

from producer.errors import Discard, Fenced, KafkaFailed, Unavailable
from producer.model import Outgoing, Series, SourceFold, Topic, each
from tests.simulation.processes import Process, later_in_world
from tests.twins.memory_kafka import MemoryKafka, MemoryProducer, Where, _State
from tests.twins.memory_store import MemoryShardStore

COMMIT_BOUND = 45.0
TAKE_BOUND = 30.0
"""As in producer/kafka/store.py."""


class CommitFault(Enum):
    """How the end of a transaction goes wrong."""

    NONE = auto()
    LOST = auto()
    """The request never arrives."""
    ERROR_LANDED = auto()
    """The broker does it, the client gets an error, before or after that."""
    SILENT = auto()
    """The broker does it, the answer never comes."""
    SILENT_LOST = auto()
    """Neither."""


class Conditions(Protocol):
    """What the store asks of its world."""

    def reachable(self, process: Process) -> bool: ...
    def commit_fault(self, process: Process, rng: Random) -> CommitFault: ...
    def batch_fails(self, process: Process, rng: Random) -> bool: ...
    def take_fails(self, process: Process, rng: Random) -> bool: ...
    def step(self, process: Process, rng: Random) -> float: ...
    def known_end(self, process: Process, where: Where) -> float: ...


class SimulatedKafka(MemoryKafka):
    """`marker_delay` is how long the end of a transaction takes to be seen; `on_commit` gets what was decided."""

    def __init__(
        self, *, marker_delay: Callable[[], float], on_commit: Callable[[Sequence[tuple[Where, Outgoing]]], None]
    ) -> None:
        super().__init__()
        self._marker_delay = marker_delay
        self._on_commit = on_commit
        self._contents: dict[str, list[tuple[Where, Outgoing]]] = {}

    def append(self, transactional_id: str, where: Where, record: Outgoing) -> int:
        self._contents.setdefault(transactional_id, []).append((where, record))
        return super().append(transactional_id, where, record)

    def end(self, transactional_id: str, state: _State) -> None:
        transaction = self._open.pop(transactional_id, None)
        contents = self._contents.pop(transactional_id, [])
        if transaction is None:
            return
        if state is _State.COMMITTED:
            self._on_commit(contents)
        delay = self._marker_delay()
        if delay > 0:
            later_in_world(delay, lambda: self._decide(transaction, state))
        else:
            self._decide(transaction, state)


class SimulatedStore(MemoryShardStore):
    """One shard's store of one process."""

    def __init__(
        self,
        kafka: MemoryKafka,
        conditions: Conditions,
        process: Process,
        *,
        number: int,
        servers: Sequence[str],
        rng: Random,
        batch: int,
    ) -> None:
        super().__init__(kafka, number=number, servers=servers)
        self._conditions = conditions
        self._process = process
        self._rng = rng
        self._batch = batch

    async def take(self) -> Mapping[str, SourceFold]:
        await self.discard()
        self.takes += 1
        await self._call("taking")
        producer = self._kafka.producer(self._id)
        await self._call("taking")
        if self._conditions.take_fails(self._process, self._rng):
            raise Unavailable("taking: the coordinator is loading")
        self._producer = producer
        barrier = self._barrier(producer)
        await self._call("committing the barrier")
        await self._pass(barrier)
        await self._call("reading the ledger")
        sources = self._fold()
        await self._refuse_unknown(producer, sources)
        return sources

    async def _transaction(self, producer: MemoryProducer, records: Iterable[Outgoing | Series]) -> None:
        until = asyncio.get_running_loop().time() + COMMIT_BOUND
        failed = False
        for number, record in enumerate(each(records), start=1):
            if self._conditions.batch_fails(self._process, self._rng):
                failed = True
            else:
                partition = self._kafka.partition_of(record, shard=self._number)
                self._noted(producer, record, producer.send(record, partition=partition))
            if number % self._batch == 0:
                await self._step(until)
        await self._step(until)
        self._delivered(failed)
        await self._end(producer, until)

    def _delivered(self, failed: bool) -> None:  # noqa: FBT001 (what the gathered futures say)
        if failed:
            raise Discard("committing: a batch failed")

    async def _end(self, producer: MemoryProducer, until: float) -> None:
        fault = self._conditions.commit_fault(self._process, self._rng)
        answer: asyncio.Future[KafkaFailed | None] = asyncio.get_running_loop().create_future()
        if fault not in (CommitFault.LOST, CommitFault.SILENT_LOST):
            later_in_world(self._latency(), lambda: _land(producer, answer))
        if fault in (CommitFault.LOST, CommitFault.ERROR_LANDED):
            await self._step(until)
            raise Discard(f"committing: {fault.name}")
        if fault is not CommitFault.NONE:
            await self._silence(until)
        error = await answer
        await self._step(until)
        if error is not None:
            raise error

    def _readable(self, number: int) -> int:
        known = self._conditions.known_end(self._process, (Topic.LEDGER, number))
        return int(min(super()._readable(number), known))

    async def _step(self, until: float) -> None:
        await asyncio.sleep(self._conditions.step(self._process, self._rng))
        while not self._conditions.reachable(self._process):
            if asyncio.get_running_loop().time() >= until:
                raise Discard("committing: no answer")
            await asyncio.sleep(1.0)

    async def _silence(self, until: float) -> None:
        await asyncio.sleep(until - asyncio.get_running_loop().time())
        raise Discard("committing: no answer")

    async def _call(self, what: str) -> None:
        await asyncio.sleep(self._latency())
        if not self._conditions.reachable(self._process):
            await asyncio.sleep(self._rng.choice((0.0, TAKE_BOUND)))
            raise Unavailable(f"{what}: no answer")

    def _latency(self) -> float:
        return self._conditions.step(self._process, self._rng)


def _land(producer: MemoryProducer, answer: asyncio.Future[KafkaFailed | None]) -> None:
    error: KafkaFailed | None = None
    try:
        producer.commit()
    except Fenced as fenced:
        error = fenced
    if not answer.done():
        answer.set_result(error)
