"""A reader that keeps what the topics had before retention and compaction take it away (librdkafka, read_committed)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, KafkaError, TopicPartition

from tests.integration.service.audit import Audit, Record, partitions, record_of, topics

PATIENCE = 30.0


class Follower(AbstractAsyncContextManager["Follower"]):
    """Reads from the beginning, on a thread of its own, until it is left."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topics = topics(topic)
        self._records: dict[str, list[Record]] = {name: [] for name in self._topics}
        self._ends = threading.Event()
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "follower",
                "isolation.level": "read_committed",
                # It must never skip what was deleted before it was read: that would look like a hit that is missing.
                "auto.offset.reset": "error",
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        self._reading: asyncio.Future[None] | None = None

    async def until(self, now: Audit) -> Audit:
        """All that ever was on the five topics, once it has what they hold `now`."""
        assert self._reading is not None
        async with asyncio.timeout(PATIENCE):
            while not self._reading.done() and not self._has(now):  # noqa: ASYNC110 (librdkafka tells nobody)
                await asyncio.sleep(0.1)
        if self._reading.done():
            self._reading.result()
        return self._audit()

    def remembered(self) -> int:
        """How many ids the ledger's fold holds."""
        return len(self._audit().told("told/"))

    def _has(self, now: Audit) -> bool:
        return all(
            {(one.partition, one.offset) for one in theirs} <= {(one.partition, one.offset) for one in ours}
            for theirs, ours in zip(_topics_of(now), _topics_of(self._audit()), strict=True)
        )

    def _audit(self) -> Audit:
        return Audit(*(tuple(self._records[name]) for name in self._topics))

    async def __aenter__(self) -> Self:
        self._consumer.assign(await asyncio.to_thread(self._all))
        self._reading = asyncio.get_running_loop().run_in_executor(None, self._read)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        if self._reading is not None:
            await asyncio.wait([self._reading])
        self._consumer.close()

    def _all(self) -> list[TopicPartition]:
        return [where for topic in self._topics for where in partitions(self._consumer, topic)]

    def _read(self) -> None:
        while not self._ends.is_set():
            for message in self._consumer.consume(5000, timeout=0.2):
                error, name = message.error(), str(message.topic())
                if error is None:
                    self._records[name].append(record_of(message))
                elif error.code() == KafkaError._AUTO_OFFSET_RESET:
                    raise AssertionError(f"{name}: deleted before it was read; this run shows nothing")


def _topics_of(audit: Audit) -> Sequence[Sequence[Record]]:
    return [audit.hits, audit.changes, audit.dead_letters, audit.gaps, audit.ledger]
