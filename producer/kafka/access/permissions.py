"""Whether these credentials may do what the service does, found out without doing it to anybody.

Asked before anything begins: else a missing one shows with the first dead letter, or on the standby in the night when
it has to take over. The transactional id is tried with one of our own under the same prefix: taking a shard's would
fence its owner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import errors as kafka
from aiokafka.protocol.admin import DescribeConfigsRequest
from aiokafka.protocol.transaction import AddPartitionsToTxnRequest, EndTxnRequest, InitProducerIdRequest

from producer.errors import AccessDenied, Untrusted
from producer.kafka.access.inquiry import NO_COORDINATOR, TRANSACTION, Inquiry, settled
from producer.kafka.access.metadata import Operation, TopicFacts
from producer.kafka.access.wire import Wire
from producer.kafka.aiokafka_errors import failure
from producer.kafka.connection import TRANSACTION_TIMEOUT
from producer.model import Topic

NEEDED: Mapping[Topic, frozenset[Operation]] = {
    topic: frozenset({Operation.WRITE, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS})
    | (frozenset({Operation.READ}) if topic is Topic.LEDGER else frozenset())
    for topic in Topic
}
"""On each topic; the ledger alone is read, as long as gaps stay what they are."""
PROBE = "check"
"""Follows the prefix in the transactional id that is tried: no shard's, so nobody is fenced."""
_TOPIC, _BROKER = 2, 4
"""Types of resource, for DescribeConfigs."""
_TRANSACTIONS = (InitProducerIdRequest, AddPartitionsToTxnRequest, EndTxnRequest)
"""What a transaction takes; some clusters have the first of them alone."""


async def refuse_missing_topic_rights(cluster: Inquiry, *, heals: bool = False) -> None:
    """Return if the topics that exist may be used; raises KafkaFailed."""
    base = cluster.connection.settings.topic
    found = await cluster.metadata([base + topic for topic in Topic])
    missing = {base + topic: lacking(topic, found.topics[base + topic], heals=heals) for topic in Topic}
    if grants := [f"{_named(operations)} on topic {name}" for name, operations in missing.items() if operations]:
        raise AccessDenied(f"Kafka permits too little: grant {', '.join(grants)}")


def needed(topic: Topic, *, heals: bool = False) -> frozenset[Operation]:
    """What to grant on a topic. An owner that `heals` gaps looks up on the hits topic what was told."""
    return _told(_all(topic, heals=heals))


def lacking(topic: Topic, facts: TopicFacts, *, heals: bool = False) -> frozenset[Operation]:
    """What is still to grant on a topic; nothing for one that is not there, or can't be described now."""
    if facts.error is kafka.TopicAuthorizationFailedError:
        return needed(topic, heals=heals)
    return _told(_all(topic, heals=heals) - facts.allowed) if facts.error is None else frozenset()


async def try_transactional_id(cluster: Inquiry, transactional_id: str) -> None:
    """Take a transactional id and leave it at that; raises KafkaFailed. Fences whoever has it."""
    what = f"taking the transactional id {transactional_id}"
    wire = await cluster.any_wire()
    if not all(wire.speaks(request) for request in _TRANSACTIONS):
        raise Untrusted(f"{what}: {NO_COORDINATOR[TRANSACTION]}")
    request = InitProducerIdRequest(transactional_id, int(TRANSACTION_TIMEOUT * 1000))

    async def ask() -> Any:
        wire = await cluster.coordinator(TRANSACTION, transactional_id, what=what)
        return await wire.ask(request, what=what)

    await settled(ask, what=what)


async def topic_configs(cluster: Inquiry, *names: str) -> dict[str, dict[str, str]]:
    """The configuration of topics, defaults included, each by its name; raises KafkaFailed."""
    return await _configs(await cluster.any_wire(), _TOPIC, names)


async def broker_config(cluster: Inquiry) -> dict[str, str]:
    """Some broker's configuration; raises KafkaFailed, AccessDenied without DescribeConfigs on the cluster."""
    number, address = min((await cluster.metadata()).brokers.items())
    return (await _configs(await cluster.wire(address), _BROKER, [str(number)]))[str(number)]


async def _configs(wire: Wire, kind: int, names: Sequence[str]) -> dict[str, dict[str, str]]:
    what = "reading the configuration of {} (grant DescribeConfigs)"
    request = DescribeConfigsRequest([(kind, name, None) for name in names])
    found = {}
    for code, _, _, name, entries in (await wire.ask(request, what=what.format(", ".join(names)))).resources:
        if (error := kafka.for_code(code)) is not kafka.NoError:
            raise failure(error(), what.format(name))
        found[name] = {entry[0]: entry[1] for entry in entries}
    return found


def _all(topic: Topic, *, heals: bool) -> frozenset[Operation]:
    return NEEDED[topic] | {Operation.READ} if heals and topic is Topic.HITS else NEEDED[topic]


def _told(operations: frozenset[Operation]) -> frozenset[Operation]:
    # Whoever may write or read may describe: telling that too would only make the line longer.
    return operations - {Operation.DESCRIBE} if Operation.WRITE in operations else operations


def _named(operations: frozenset[Operation]) -> str:
    return " and ".join(sorted(operation.acl for operation in operations))
