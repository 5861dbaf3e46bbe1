"""The four topics: made when missing, checked when present, never altered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import errors as kafka
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.protocol.metadata import MetadataRequest

from producer.errors import AccessDenied, KafkaFailed, Unavailable, Untrusted
from producer.kafka.access.inquiry import Inquiry
from producer.kafka.access.probe import probe
from producer.kafka.access.rights import refuse_missing_rights
from producer.kafka.bounds import bounded
from producer.kafka.connection import Connection
from producer.kafka.failures import failure, named
from producer.kafka.reader import PartitionReader
from producer.model import Topic
from producer.settings.sections import Kafka

LEDGER_SHARDS = 12
LEDGER_CONFIG = {
    "cleanup.policy": "compact",
    # With Kafka's defaults (1 GiB, a week) the active segment is never compacted, and a takeover reads all of it.
    "segment.bytes": str(64 * 1024 * 1024),
    "segment.ms": str(60 * 60 * 1000),
    "min.cleanable.dirty.ratio": "0.1",
    "delete.retention.ms": str(24 * 60 * 60 * 1000),
}
EVENT_TOPICS = (Topic.HITS, Topic.DEAD_LETTER, Topic.COVERAGE)
BOUND = 60.0
"""Seconds for all questions to the cluster together."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics as they are: partitions by role, and the largest batch that all four accept, in bytes."""

    base: str
    partitions: Mapping[Topic, int]
    max_message_bytes: int

    def name(self, topic: Topic) -> str:
        """A topic's full name."""
        return self.base + topic

    @property
    def shards(self) -> int:
        """Partitions of the ledger."""
        return self.partitions[Topic.LEDGER]


class TopicSetup:
    """Makes and checks the topics; `created` are the names of those it made."""

    def __init__(self, connection: Connection, *, accept_loss: bool = False) -> None:
        """`accept_loss` makes a ledger anew although hits were published under another."""
        self._connection = connection
        self._accept_loss = accept_loss
        self._settings: Kafka = connection.settings
        self.created: list[str] = []

    async def ready(self) -> Topics:
        """The topics, all there and fit; raises Unavailable, AccessDenied or Untrusted."""
        await probe(self._connection)
        with named("connecting to Kafka"):
            admin = AIOKafkaAdminClient(**self._connection.options())
        try:
            return await bounded(self._ready(admin), seconds=BOUND, what="checking the topics")
        finally:
            await admin.close()

    async def _ready(self, admin: AIOKafkaAdminClient) -> Topics:
        with named(f"connecting to {self._settings.bootstrap_servers}"):
            await admin.start()
        with named("checking the topics"):
            await self._refuse_missing_rights()
            found = await self._partitions(admin)
            if missing := [topic for topic in Topic if topic not in found]:
                await self._create(admin, missing, found)
                found = await self._visible(admin)
                await self._refuse_missing_rights()
            configs = {topic: await self._config(admin, topic) for topic in Topic}
        self._check(found, configs)
        smallest = min(int(config["max.message.bytes"]) for config in configs.values())
        return Topics(self._settings.topic, found, smallest)

    async def _refuse_missing_rights(self) -> None:
        async with Inquiry(self._connection) as cluster:
            await refuse_missing_rights(cluster)

    async def _partitions(self, admin: AIOKafkaAdminClient, *, led: bool = False) -> dict[Topic, int]:
        """Partitions by topic, of those that are there; if `led`, of those whose partitions all have a leader."""
        # aiokafka's own describe_topics lets a broker with auto.create.topics.enable make what is only asked about.
        asking = MetadataRequest([self._name(topic) for topic in Topic], allow_auto_topic_creation=False)
        answer = await admin._client.send(admin._client.get_random_node(), asking)  # noqa: SLF001 (no other way)
        found = {}
        for entry in answer.to_object()["topics"]:
            error = kafka.for_code(entry["error_code"])
            if led and any(partition["leader"] < 0 for partition in entry["partitions"]):
                continue
            if error is kafka.NoError:
                found[Topic(entry["topic"].removeprefix(self._settings.topic))] = len(entry["partitions"])
            elif error is not kafka.UnknownTopicOrPartitionError:
                raise failure(error(), f"describing {entry['topic']}")
        return found

    async def _visible(self, admin: AIOKafkaAdminClient) -> dict[Topic, int]:
        """The topics, once the brokers know of them and who leads them: creation returns before that."""
        for _ in range(50):
            found = await self._partitions(admin, led=True)
            if all(topic in found for topic in Topic):
                break
            await asyncio.sleep(0.1)
        return found

    async def _create(self, admin: AIOKafkaAdminClient, missing: list[Topic], found: Mapping[Topic, int]) -> None:
        names = ", ".join(self._name(topic) for topic in missing)
        if not self._settings.create_topics:
            raise Untrusted(f"missing topics: {names}. Create them, or set KAFKA_CREATE_TOPICS=true")
        if Topic.LEDGER in missing and Topic.HITS in found:
            await self._refuse_lost_ledger(found[Topic.HITS])
        response = await admin.create_topics([self._new(topic) for topic in missing])
        errors = {name: kafka.for_code(code) for name, code, *_ in response.topic_errors}
        # Another instance may have been quicker.
        refused = sorted(name for name in errors if errors[name] not in (kafka.NoError, kafka.TopicAlreadyExistsError))
        if refused:
            raise _creation_failure(errors[refused[0]](), ", ".join(refused))
        self.created = [self._name(topic) for topic in missing]

    async def _refuse_lost_ledger(self, partitions: int) -> None:
        """Refuse if hits were published under a ledger that is gone."""
        hits = PartitionReader(self._connection, self._name(Topic.HITS))
        if not self._accept_loss and await hits.holds_records(partitions):
            raise Untrusted(
                f"topic {self._name(Topic.LEDGER)} is missing while {self._name(Topic.HITS)} holds records: it was "
                "deleted. Starting without it publishes again what the API still shows, up to an hour of hits; "
                "`wolkvox-hits ledger init` accepts that and creates it"
            )

    def _new(self, topic: Topic) -> NewTopic:
        settings = self._settings
        ledger = topic is Topic.LEDGER
        config = (
            LEDGER_CONFIG
            if ledger
            else {
                "cleanup.policy": "delete",
                "retention.ms": str(int(settings.retention * 1000)),
            }
        )
        new = NewTopic(self._name(topic), LEDGER_SHARDS if ledger else settings.partitions, 1, topic_configs=config)
        # NewTopic refuses -1 together with a number of partitions, the broker does not: it means its own default.
        new.replication_factor = -1 if settings.replication_factor is None else settings.replication_factor
        return new

    async def _config(self, admin: AIOKafkaAdminClient, topic: Topic) -> dict[str, str]:
        (response,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, self._name(topic))])
        ((code, _, _, _, entries),) = response.resources
        if (error := kafka.for_code(code)) is not kafka.NoError:
            raise failure(error(), f"reading the configuration of {self._name(topic)} (grant DescribeConfigs)")
        return {entry[0]: entry[1] for entry in entries}

    def _check(self, partitions: Mapping[Topic, int], configs: Mapping[Topic, Mapping[str, str]]) -> None:
        if gone := [self._name(topic) for topic in Topic if topic not in partitions]:
            raise Unavailable(f"topics not there yet: {', '.join(gone)}")
        problems = [
            *_policy_problems(
                {self._name(topic): config for topic, config in configs.items()}, self._name(Topic.LEDGER)
            ),
            *self._partition_problems(partitions),
        ]
        if problems:
            raise Untrusted("; ".join(problems))

    def _partition_problems(self, partitions: Mapping[Topic, int]) -> Iterable[str]:
        wanted = self._settings.partitions
        for topic in EVENT_TOPICS:
            if self._settings.partitions_given and partitions[topic] != wanted:
                yield (
                    f"topic {self._name(topic)} has {partitions[topic]} partitions, KAFKA_PARTITIONS says {wanted}: "
                    f"set KAFKA_PARTITIONS={partitions[topic]}, leave it out, or repartition the topic yourself"
                )

    def _name(self, topic: Topic) -> str:
        return self._settings.topic + topic


def _policy_problems(configs: Mapping[str, Mapping[str, str]], ledger: str) -> Iterable[str]:
    for name, config in configs.items():
        policy = config["cleanup.policy"]
        if name == ledger and policy != "compact":
            yield (
                f"topic {name} has cleanup.policy={policy}, it must be exactly compact: otherwise Kafka deletes what "
                "was already published and it is published again"
            )
        elif name != ledger and "compact" in policy:
            yield f"topic {name} has cleanup.policy={policy}, it must be delete: compaction would remove events"


def _creation_failure(error: Any, names: str) -> KafkaFailed:
    if isinstance(error, kafka.TopicAuthorizationFailedError | kafka.ClusterAuthorizationFailedError):
        return AccessDenied(
            f"creating topics: grant Create on topic {names}, or create them and set KAFKA_CREATE_TOPICS=false"
        )
    if isinstance(error, kafka.InvalidReplicationFactorError):
        return Untrusted(f"creating {names}: the cluster has too few brokers for KAFKA_REPLICATION_FACTOR")
    return failure(error, f"creating {names}")
