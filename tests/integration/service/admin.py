"""What an operator does to topics with the cluster's own tools (librdkafka's admin client)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from confluent_kafka import OFFSET_END, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, but not re-exported as mypy wants it
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
)
from confluent_kafka.cimpl import NewPartitions, NewTopic

PATIENCE = 20.0


class Admin:
    """Blocking calls on threads; `bootstrap` names the cluster."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._client = AdminClient({"bootstrap.servers": bootstrap})

    async def create(self, topic: str, partitions: int, **config: str) -> None:
        """Make a topic; in the names of its configs `_` stands for a dot."""
        named = {name.replace("_", "."): value for name, value in config.items()}
        new = NewTopic(topic, partitions, 1, config=named)
        await self._done(self._client.create_topics([new])[topic])

    async def delete(self, topic: str) -> None:
        """Delete a topic."""
        await self._done(self._client.delete_topics([topic])[topic])

    async def empty(self, topic: str) -> None:
        """Delete all records of a topic, as its retention would."""
        partitions = (
            (await asyncio.to_thread(self._client.list_topics, topic, timeout=PATIENCE)).topics[topic].partitions
        )
        ends = [TopicPartition(topic, number, OFFSET_END) for number in partitions]
        for future in self._client.delete_records(ends).values():
            await self._done(future)

    async def until_gone(self, topic: str) -> None:
        """Wait until the brokers list a deleted topic no more."""
        async with asyncio.timeout(PATIENCE):
            while topic in (await asyncio.to_thread(self._client.list_topics, timeout=PATIENCE)).topics:  # noqa: ASYNC110 (a broker tells nobody)
                await asyncio.sleep(0.05)

    async def repartition(self, topic: str, partitions: int) -> None:
        """Give a topic more partitions."""
        await self._done(self._client.create_partitions([NewPartitions(topic, partitions)])[topic])

    async def configure(self, topic: str, name: str, value: str) -> None:
        """Set one of a topic's configs, or with an empty value go back to the broker's."""
        change = AlterConfigOpType.SET if value else AlterConfigOpType.DELETE
        entry = ConfigEntry(name, value, incremental_operation=change)
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
        await self._done(self._client.incremental_alter_configs([resource])[resource])

    async def config(self, topic: str) -> Mapping[str, str]:
        """A topic's configs."""
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        entries = await self._done(self._client.describe_configs([resource])[resource])
        return {name: entry.value for name, entry in entries.items()}

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        metadata = await asyncio.to_thread(self._client.list_topics, topic, timeout=PATIENCE)
        return len(metadata.topics[topic].partitions)

    async def leader(self, topic: str, partition: int) -> str:
        """`host:port` of the broker that leads a partition."""
        metadata = await asyncio.to_thread(self._client.list_topics, topic, timeout=PATIENCE)
        broker = metadata.brokers[metadata.topics[topic].partitions[partition].leader]
        return f"{broker.host}:{broker.port}"

    async def write(self, topic: str, partition: int, *, key: str, value: bytes) -> None:
        """Put one record into a partition."""
        await asyncio.to_thread(self._write, topic, partition, key, value)

    def _write(self, topic: str, partition: int, key: str, value: bytes) -> None:
        producer = Producer({"bootstrap.servers": self._bootstrap})
        producer.produce(topic, partition=partition, key=key, value=value)
        assert producer.flush(PATIENCE) == 0

    async def _done(self, future: Any) -> Any:
        return await asyncio.to_thread(future.result, PATIENCE)
