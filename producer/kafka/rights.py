"""Whether all permissions are there, asked before anything begins: else a missing one shows with the first dead letter,
or on the standby in the night when it has to take over.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiokafka import errors as kafka

from producer.errors import AccessDenied
from producer.kafka.inquiry import Inquiry
from producer.kafka.metadata import Operation, TopicFacts
from producer.kafka.permissions import try_group, try_transactional_id
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
    lacking = {base + topic: _lacking(topic, found.topics[base + topic]) for topic in Topic}
    if grants := [f"{_named(missing)} on topic {name}" for name, missing in lacking.items() if missing]:
        raise AccessDenied(f"Kafka permits too little: grant {', '.join(grants)}")
    await try_group(cluster)
    await try_transactional_id(cluster, f"{base}{Topic.LEDGER}-{PROBE}")


def _lacking(topic: Topic, facts: TopicFacts) -> frozenset[Operation]:
    if facts.error is kafka.TopicAuthorizationFailedError:
        return NEEDED[topic]
    return NEEDED[topic] - facts.allowed if facts.error is None else frozenset()


def _named(operations: frozenset[Operation]) -> str:
    # Whoever may write or read may describe: telling that too would only make the line longer.
    told = operations - {Operation.DESCRIBE} if Operation.WRITE in operations else operations
    return " and ".join(sorted(operation.acl for operation in told))
