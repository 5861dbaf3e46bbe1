"""What Kafka holds, as another client sees it: librdkafka, which shares no code with the service."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

Isolation = Literal["read_committed", "read_uncommitted"]
PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it was read; `value` None is a tombstone."""

    partition: int
    offset: int
    timestamp: int
    key: str
    value: bytes | None
    headers: Mapping[str, bytes]

    @property
    def json(self) -> Any:
        """The value, parsed; in a registry's frame or without."""
        assert self.value is not None
        return orjson.loads(self.value[5:] if self.value[:1] == b"\0" else self.value)


@dataclass(frozen=True, slots=True)
class Audit:
    """The five topics, read to their ends."""

    hits: Sequence[Record]
    changes: Sequence[Record]
    dead_letters: Sequence[Record]
    gaps: Sequence[Record]
    ledger: Sequence[Record]

    @property
    def ids(self) -> set[str]:
        """Every conn_id with an event."""
        return {record.key for record in self.hits}

    @property
    def duplicates(self) -> dict[str, int]:
        """conn_ids with more than one event."""
        return {key: times for key, times in Counter(record.key for record in self.hits).items() if times > 1}

    @property
    def said(self) -> dict[str, list[str]]:
        """What `hit` says in the events of each conn_id, in the order of the snapshots that showed it."""
        events = sorted((*self.hits, *self.changes), key=lambda record: str(record.json["observed_at"]))
        found = dict[str, list[str]]()
        for record in events:
            found.setdefault(record.key, []).append(record.json["hit"])
        return found

    @property
    def misdated(self) -> set[str]:
        """conn_ids with a change that names another beginning than its hit's."""
        begun = {record.key: record.json["observed_at"] for record in self.hits}
        return {record.key for record in self.changes if record.json["first_observed_at"] != begun.get(record.key)}

    @property
    def remembered(self) -> set[str]:
        """conn_ids that the ledger's fold holds."""
        return {identity.split("/", 1)[1] for identity in self.told("told/")}

    def told(self, *kinds: str) -> set[str]:
        """What the ledger's fold holds in records of these kinds, each as `{server}/{id}`."""
        last = {record.key: record.value for record in self.ledger}
        standing = [(key, value) for key, value in last.items() if value is not None and key.startswith(kinds)]
        return {f"{key.split('/')[1]}/{name}" for key, value in standing for name in orjson.loads(value)["ids"]}


async def audit(bootstrap: str, topic: str, *, isolation: Isolation = "read_committed") -> Audit:
    """All five topics of a base name, as of now."""
    return Audit(*await asyncio.to_thread(_read_all, bootstrap, topics(topic), isolation))


def topics(base: str) -> Sequence[str]:
    """The names of the five topics, in the order of an Audit."""
    return [base + suffix for suffix in ("", ".changes", ".dead-letter", ".coverage", ".ledger")]


async def read(bootstrap: str, topic: str, *, isolation: Isolation = "read_committed") -> Sequence[Record]:
    """One topic, as of now."""
    (records,) = await asyncio.to_thread(_read_all, bootstrap, [topic], isolation)
    return records


def _read_all(bootstrap: str, topics: Sequence[str], isolation: Isolation) -> list[list[Record]]:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"audit-{uuid4().hex}",
            "isolation.level": isolation,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 20,
            "log_level": 0,
        }
    )
    try:
        waiting = [where for topic in topics for where in partitions(consumer, topic)]
        consumer.assign(waiting)
        return _drain(consumer, topics, {(where.topic, where.partition) for where in waiting})
    finally:
        consumer.close()


def partitions(consumer: Consumer, topic: str) -> list[TopicPartition]:
    """A topic's partitions, from their beginning."""
    found = consumer.list_topics(topic, timeout=PATIENCE).topics[topic]
    if found.error is not None:
        raise KafkaException(found.error)
    return [TopicPartition(topic, partition, 0) for partition in found.partitions]


def _drain(consumer: Consumer, topics: Sequence[str], waiting: set[tuple[str, int]]) -> list[list[Record]]:
    records: dict[str, list[Record]] = {topic: [] for topic in topics}
    while waiting:
        messages = consumer.consume(5000, timeout=0.1) or consumer.consume(1, timeout=PATIENCE)
        assert messages, f"no word from {sorted(waiting)[:3]}"
        for message in messages:
            error, name, partition = message.error(), message.topic(), message.partition()
            assert name is not None
            assert partition is not None
            if error is None:
                records[name].append(record_of(message))
            elif error.code() == KafkaError._PARTITION_EOF:
                waiting.discard((name, partition))
            else:
                raise KafkaException(error)
    return list(records.values())


def record_of(message: Any) -> Record:
    """A message as it was read."""
    key, value = message.key(), message.value()
    headers = {name: bytes(text) for name, text in message.headers() or ()}
    return Record(message.partition(), message.offset(), message.timestamp()[1], key.decode(), value, headers)
