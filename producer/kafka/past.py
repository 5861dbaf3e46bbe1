"""What the hits topic itself says was told: for what the ledger has forgotten, and for who asks beside an owner."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from producer.clock import Clock
from producer.kafka.connection import Connection
from producer.kafka.reader import PartitionReader
from producer.kafka.topics import TopicSetup
from producer.model import REPORT, ToldSince, Topic


class HitsTopic:
    """`producer.core.ports.Past` on Kafka: the ids of committed hits, by their keys."""

    def __init__(self, *, connection: Connection, setup: TopicSetup, clock: Clock) -> None:
        self._connection = connection
        self._setup = setup
        self._clock = clock

    async def told(self, server: str, since: float) -> ToldSince:
        """The ids that were told of a server from a moment on, in Unix seconds, up to now; raises KafkaFailed.

        The topic's end is the high watermark, behind which nothing committed can be: the last stable offset may lie
        before what was told long ago, if another shard's transaction is open.
        """
        topics = self._setup.topics
        reader = PartitionReader(self._connection, topics.name(Topic.HITS))
        partitions = range(topics.partitions[Topic.HITS])
        source, ids = ("ce_source", f"/wolkvox/{server}/{REPORT}".encode()), set[str]()
        async with aclosing(reader.parts(*partitions, since=since)) as parts:
            async for part in parts:
                ids.update(record.key.decode() for record in part.records if source in record.headers)
                await asyncio.sleep(0)
        # Not before: what is deleted while it is read would count as never told.
        now = self._clock.now().wall
        return ToldSince(ids, await reader.whole_since(*partitions, retention=topics.retention, now=now))
