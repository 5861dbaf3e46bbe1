"""What the cluster says of itself and of topics, with what these credentials may do: one request that creates nothing.

Our own version 8 of Kafka's Metadata request, because aiokafka stops at 5: 8 tells the permissions (KIP-430), and
aiokafka's requests ask brokers with `auto.create.topics.enable` to make each topic that is only asked about.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from aiokafka import errors as kafka
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from producer.kafka.access.wire import Address, Wire

_UNTOLD = -(1 << 31)
"""The bit field of a broker that does not know or tell, as some that speak Kafka's protocol (KIP-430)."""


class Operation(IntEnum):
    """Kafka's operations on a resource, by the bit that tells them (org.apache.kafka.common.acl.AclOperation)."""

    READ = 3
    WRITE = 4
    CREATE = 5
    DESCRIBE = 8
    DESCRIBE_CONFIGS = 10

    @property
    def acl(self) -> str:
        """As kafka-acls.sh writes it."""
        return self.name.title().replace("_", "")


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """A topic as the cluster has it; `error` is aiokafka's class, None if all is well."""

    name: str
    error: type[kafka.KafkaError] | None
    partitions: int
    replicas: int
    """Of the partition with the fewest."""
    leaderless: int
    """Partitions that nobody leads: neither written nor read now."""
    allowed: frozenset[Operation]

    @property
    def missing(self) -> bool:
        """Whether there is no such topic."""
        return self.error is kafka.UnknownTopicOrPartitionError

    @property
    def forbidden(self) -> bool:
        """Whether we may not even know that there is such a topic."""
        return self.error is kafka.TopicAuthorizationFailedError


@dataclass(frozen=True, slots=True)
class Metadata:
    """The cluster: its brokers by id, as they are advertised, and the topics that were asked for."""

    brokers: Mapping[int, Address]
    controller: int
    topics: Mapping[str, TopicFacts]


async def metadata(wire: Wire, names: Sequence[str]) -> Metadata:
    """What the broker at the other end knows; raises KafkaFailed."""
    answer = (await wire.ask(_MetadataRequest(names), what="asking the cluster for its topics")).to_object()
    return Metadata(
        brokers={broker["node_id"]: Address(broker["host"], broker["port"]) for broker in answer["brokers"]},
        controller=answer["controller_id"],
        topics={topic["topic"]: _facts(topic) for topic in answer["topics"]},
    )


def operations(bits: int) -> frozenset[Operation]:
    """The operations in Kafka's bit field; all if the broker does not tell: what it forbids it says when it is done."""
    return frozenset(one for one in Operation if bits == _UNTOLD or bits >> one & 1)


def _facts(topic: Mapping[str, Any]) -> TopicFacts:
    error = kafka.for_code(topic["error_code"])
    partitions: Collection[Mapping[str, Any]] = topic["partitions"]
    return TopicFacts(
        name=topic["topic"],
        error=None if error is kafka.NoError else error,
        partitions=len(partitions),
        replicas=min((len(one["replicas"]) for one in partitions), default=0),
        leaderless=sum(one["leader"] < 0 for one in partitions),
        allowed=operations(topic["authorized_operations"]),
    )


class _MetadataResponse(Response):  # type: ignore[misc]  # aiokafka ships no types
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", Array(("node_id", Int32), ("host", String("utf-8")), ("port", Int32), ("rack", String("utf-8")))),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class _MetadataStruct(RequestStruct):  # type: ignore[misc]  # as above
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _MetadataRequest(Request[_MetadataStruct]):  # type: ignore[misc]  # as above
    API_KEY = 3

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)

    def build(self, struct: type[_MetadataStruct]) -> _MetadataStruct:
        """As aiokafka's requests are built; nothing is created, the topics' permissions are told."""
        return struct(self._names, False, False, True)
