"""`producer.core.ports.Past` on a MemoryKafka."""

from __future__ import annotations

import asyncio
from collections import deque

from producer.errors import KafkaFailed, Unavailable
from producer.model import REPORT, ToldSince, Topic
from tests.twins.memory_kafka import MemoryKafka
from tests.twins.memory_store import READ_BOUND


class MemoryPast:
    """`failures` are raised one by one; `begins` is from when on the topic is whole. It keeps no time: all is read."""

    def __init__(self, kafka: MemoryKafka) -> None:
        self.failures: deque[KafkaFailed] = deque()
        self.begins: float | None = None
        self.asked: list[float] = []
        self._kafka = kafka

    async def told(self, server: str, since: float) -> ToldSince:
        self.asked.append(since)
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.popleft()
        await self._read_to_the_end()
        source = ("ce_source", f"/wolkvox/{server}/{REPORT}".encode())
        hits = (record for record in self._kafka.committed(Topic.HITS) if source in record.headers)
        return ToldSince({(record.key or b"").decode() for record in hits}, self.begins)

    async def _read_to_the_end(self) -> None:
        """As the true one: to the high watermark, whoever has a transaction open before it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + READ_BOUND
        partitions = [(Topic.HITS, number) for number in range(self._kafka.partitions[Topic.HITS])]
        ends = {where: self._kafka.high_watermark(where) for where in partitions}
        while any(self._kafka.last_stable_offset(where) < end for where, end in ends.items()):
            if loop.time() > until:
                raise Unavailable("no way to the end of the hits: a transaction hangs there")
            await asyncio.sleep(0.1)
