"""Whether all permissions are there, asked before anything begins: else a missing one shows with the first dead letter,
or on the standby in the night when it has to take over.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiokafka import errors as kafka

from producer.errors import AccessDenied
from producer.kafka.access.inquiry import Inquiry
from producer.kafka.access.metadata import Operation, TopicFacts
from producer.kafka.access.permissions import try_group, try_transactional_id
from producer.model import Topic

NEEDED: Mapping[Topic, frozenset[Operation]] = {
    topic: frozenset({Operation.WRITE, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS})
    | (frozenset({Operation.READ}) if topic is Topic.LEDGER else frozenset())
    for topic in Topic
}
"""On each topic; the ledger alone is read."""
PROBE = "check"
"""Follows the prefix in the transactional id that is tried: no shard's, so nobody is fenced."""


async def refuse_missing_rights(cluster: Inquiry) -> None:
    """Return if the topics that exist, the group and the transactional ids may be used; raises KafkaFailed."""
    base = cluster.connection.settings.topic
    found = await cluster.metadata([base + topic for topic in Topic])
    missing = {base + topic: lacking(topic, found.topics[base + topic]) for topic in Topic}
    if grants := [f"{_named(operations)} on topic {name}" for name, operations in missing.items() if operations]:
        raise AccessDenied(f"Kafka permits too little: grant {', '.join(grants)}")
    await try_group(cluster)
    await try_transactional_id(cluster, f"{base}{Topic.LEDGER}-{PROBE}")


def needed(topic: Topic) -> frozenset[Operation]:
    """What to grant on a topic."""
    return _told(NEEDED[topic])


def lacking(topic: Topic, facts: TopicFacts) -> frozenset[Operation]:
    """What is still to grant on a topic; nothing for one that is not there, or can't be described now."""
    if facts.error is kafka.TopicAuthorizationFailedError:
        return needed(topic)
    return _told(NEEDED[topic] - facts.allowed) if facts.error is None else frozenset()


def _told(operations: frozenset[Operation]) -> frozenset[Operation]:
    # Whoever may write or read may describe: telling that too would only make the line longer.
    return operations - {Operation.DESCRIBE} if Operation.WRITE in operations else operations


def _named(operations: frozenset[Operation]) -> str:
    return " and ".join(sorted(operation.acl for operation in operations))
