"""The service with a trap at a named step: `KILL:begun`, `STOP:begun`; `HANG:ledger_half_read` only waits there.

The parts are the true ones; each is derived only to say where it is. So that a fresh process first gets to where its
predecessor died, the traps of a poll wait for a snapshot that differs from the first one; those of the taking do not.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

import aiokafka

import producer.kafka.census
import producer.kafka.clients
import producer.kafka.store
import producer.service.wiring
from producer.core.harvest import Harvest
from producer.core.source import Source
from producer.core.taken import Taken, Written
from producer.kafka.batches import Batches
from producer.kafka.past import HitsTopic
from producer.kafka.reader import Part, PartitionReader
from producer.kafka.store import KafkaShardStore
from producer.model import Dropped, Outgoing, Rows, Snapshot, SourceFold, ToldSince
from producer.observe.logs import configure
from producer.service.service import Service
from producer.settings import load
from producer.wolkvox.client import WolkvoxApi
from producer.wolkvox.history import WolkvoxHistory
from producer.wolkvox.reader import RowReader
from tests.integration.service.crash_points import HEALING, POLLING, TAKING


class Trap:
    """Springs once, at its step; `armed` by the API for the steps of a poll."""

    def __init__(self, asked: str) -> None:
        name, _, self.step = asked.partition(":")
        self.signal = None if name == "HANG" else signal.Signals[f"SIG{name}"]
        self.armed = False
        self.healing = False
        """Whether what is about to be told recovers a gap."""
        assert self.step in (*TAKING, *POLLING, *HEALING), f"no step {self.step}"

    def at(self, step: str) -> None:
        """Say where the process is."""
        step = f"healing_{step}" if self.healing else step
        if step == self.step and (self.armed or step in (*TAKING, *HEALING)):
            self.step = "sprung"
            if self.signal is not None:
                os.kill(os.getpid(), self.signal)

    async def hang(self, step: str) -> None:
        """Say that the process is there, and never go on; only where asked to."""
        if self.signal is None and step == self.step:
            print('{"event": "hanging"}', flush=True)  # noqa: T201  # for the test, among the log lines
            await asyncio.Event().wait()


trap = Trap(sys.argv[1])


class TrappedApi(WolkvoxApi):
    """Arms the trap with the first snapshot that brings something else than the very first."""

    _first: str | None = None

    async def fetch(self) -> Snapshot:
        snapshot = await super().fetch()
        ids = repr(snapshot.ids or [row["conn_id"] for row in snapshot.rows])
        self._first = self._first or ids
        trap.armed = trap.armed or ids != self._first
        trap.at("fetched")
        return snapshot


class TrappedReader(RowReader):
    """After the rows are told apart."""

    def identify(self, snapshot: Snapshot, *, known: Any, parsed_only: bool = False) -> Rows:
        rows = super().identify(snapshot, known=known, parsed_only=parsed_only)
        trap.at("identified")
        return rows


class TrappedSource(Source):
    """Around everything that changes memory."""

    def add(self, snapshot: Snapshot, rows: Rows, **found: Any) -> Harvest:
        harvest = super().add(snapshot, rows, **found)
        trap.at("added")
        return harvest

    def take(self, room: int, dropped: Dropped) -> Taken:
        taken = super().take(room, dropped)
        trap.healing = bool(taken.healed())
        trap.at("taken")
        return taken

    def settle(self, taken: Taken, written: Written) -> None:
        super().settle(taken, written)
        trap.at("settled")


class TrappedTopic(HitsTopic):
    """After the topic was asked what is told."""

    async def told(self, server: str, since: float) -> ToldSince:
        found = await super().told(server, since)
        trap.at("topic_read")
        return found


class TrappedHistory(WolkvoxHistory):
    """After the history was asked."""

    async def fetch(self, begin: float, end: float) -> Snapshot:
        snapshot = await super().fetch(begin, end)
        trap.at("history_read")
        return snapshot


class TrappedProducer(aiokafka.AIOKafkaProducer):  # type: ignore[misc]  # aiokafka ships no types
    """Around the calls that make a transaction."""

    async def start(self) -> None:
        await super().start()
        trap.at("id_taken")

    async def begin_transaction(self) -> None:
        await super().begin_transaction()
        trap.at("begun")

    async def commit_transaction(self) -> None:
        ending = asyncio.ensure_future(super().commit_transaction())
        # Its request is on the way, and nobody waits for the answer.
        await asyncio.sleep(0.001)
        trap.at("committing")
        await ending
        trap.at("committed")


class TrappedBatches(Batches):
    """One batch delivered and no other; all delivered."""

    async def delivered(self) -> list[int]:
        if trap.step == "first_batch_sent" and trap.armed:
            places = ((topic, place) for topic, open_ in self._open.items() for place in range(len(open_)))
            await self._send(*next((topic, place) for topic, place in places if self._open[topic][place] is not None))
            await asyncio.gather(*self._sent)
        trap.at("first_batch_sent")
        offsets = await super().delivered()
        trap.at("all_delivered")
        return offsets


class TrappedStore(KafkaShardStore):
    """After the barrier; after the ledger was read, before memory has it."""

    async def _commit_owner(self, record: Outgoing) -> None:
        await super()._commit_owner(record)
        trap.at("barrier_committed")

    async def take(self) -> Mapping[str, SourceFold]:
        folds = await super().take()
        trap.at("ledger_read")
        return folds


class TrappedLedger(PartitionReader):
    """In the middle of reading it."""

    async def parts_past(self, partition: int, offset: int) -> AsyncGenerator[Part, None]:
        async for part in super().parts_past(partition, offset):
            half = len(part.records) // 2
            for records in (part.records[:half], part.records[half:]):
                if records:
                    yield replace(part, records=records)
                await trap.hang("ledger_half_read")
                trap.at("ledger_half_read")


PARTS: Sequence[tuple[ModuleType, type]] = (
    (producer.service.wiring, TrappedApi),
    (producer.service.wiring, TrappedReader),
    (producer.service.wiring, TrappedSource),
    (producer.service.wiring, TrappedTopic),
    (producer.service.wiring, TrappedHistory),
    (producer.service.wiring, TrappedStore),
    (producer.kafka.store, TrappedBatches),
    (producer.kafka.clients, TrappedProducer),
    (producer.kafka.census, TrappedLedger),
)
"""Where the service finds each part, by the name of the plain one."""


def main() -> None:
    """Put the trapped parts in place of the plain ones, and run."""
    for module, part in PARTS:
        plain = part.__base__
        assert plain is not None
        assert getattr(module, plain.__name__) is plain, f"{module.__name__} no longer uses {plain.__name__}"
        setattr(module, plain.__name__, part)
    settings = load(config=None, environ=os.environ, overrides=())
    configure(level="info", format="json")
    asyncio.run(Service(settings).run())


if __name__ == "__main__":
    main()
