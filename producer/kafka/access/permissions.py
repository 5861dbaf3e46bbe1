"""Whether these credentials may do what the service does, found out without doing it to anybody.

The group is described, not joined: a member that comes and goes would make the running instances rebalance. The
transactional id is tried with one of our own under the same prefix: taking a shard's would fence its owner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import errors as kafka
from aiokafka.protocol.admin import CreateTopicsRequest, DescribeConfigsRequest, DescribeGroupsRequest
from aiokafka.protocol.group import HeartbeatRequest
from aiokafka.protocol.transaction import InitProducerIdRequest

from producer.errors import KafkaFailed, Untrusted
from producer.kafka.access.inquiry import GROUP, TRANSACTION, Inquiry, settled
from producer.kafka.access.metadata import Metadata
from producer.kafka.connection import TRANSACTION_TIMEOUT
from producer.kafka.failures import failure

_TOPIC = 2
"""A resource of type topic, for DescribeConfigs."""
_VALIDATE_TIMEOUT = 5_000


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a consumer group."""

    client_id: str
    host: str

    def __str__(self) -> str:
        return f"{self.client_id} at {self.host.removeprefix('/')}"


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group as its coordinator sees it; nobody in it is a group that is empty or was never there."""

    state: str
    members: tuple[Member, ...]


async def describe_group(cluster: Inquiry) -> Group:
    """The group KAFKA_GROUP_ID; raises KafkaFailed, AccessDenied without the permission to describe it."""
    name = cluster.connection.settings.group_id
    what = f"describing the group {name}"
    wire = await cluster.coordinator(GROUP, name, what=what)
    answer = await wire.ask(DescribeGroupsRequest([name]), what=what)
    (group,) = answer.to_object()["groups"]
    if (error := kafka.for_code(group["error_code"])) is not kafka.NoError:
        raise failure(error(), what)
    return Group(group["state"], tuple(Member(one["client_id"], one["client_host"]) for one in group["members"]))


async def try_group(cluster: Inquiry) -> None:
    """Have the coordinator say whether these credentials may be a member; raises KafkaFailed."""
    name = cluster.connection.settings.group_id
    what = f"joining the group {name}"

    async def ask() -> Any:
        wire = await cluster.coordinator(GROUP, name, what=what)
        return await wire.ask(HeartbeatRequest(name, -1, "wolkvox-hits-check"), what=what)

    # The heartbeat of a member that never joined: what may join is told "unknown member", what may not "not allowed".
    await settled(ask, what=what, fine=kafka.UnknownMemberIdError)


async def try_transactional_id(cluster: Inquiry, transactional_id: str) -> None:
    """Take a transactional id and leave it at that; raises KafkaFailed. Fences whoever has it."""
    what = f"taking the transactional id {transactional_id}"
    request = InitProducerIdRequest(transactional_id, int(TRANSACTION_TIMEOUT * 1000))

    async def ask() -> Any:
        wire = await cluster.coordinator(TRANSACTION, transactional_id, what=what)
        return await wire.ask(request, what=what)

    await settled(ask, what=what)


async def try_create(
    cluster: Inquiry, found: Metadata, name: str, *, partitions: int, replicas: int | None, config: Mapping[str, str]
) -> None:
    """Have the cluster say whether it would create a topic, which it does not do; raises KafkaFailed."""
    wire = await cluster.wire(found.brokers[found.controller])
    topic: tuple[Any, ...] = (name, partitions, -1 if replicas is None else replicas, [], list(config.items()))
    what = f"asking whether {name} could be created"
    answer = await wire.ask(CreateTopicsRequest([topic], _VALIDATE_TIMEOUT, True), what=what)
    for _, code, *_ in answer.topic_errors:
        error = kafka.for_code(code)
        if error is not kafka.NoError:
            raise _not_created(error(), name)


async def topic_config(cluster: Inquiry, name: str) -> dict[str, str]:
    """A topic's configuration, defaults included; raises KafkaFailed."""
    what = f"reading the configuration of {name} (grant DescribeConfigs)"
    wire = await cluster.any_wire()
    answer = await wire.ask(DescribeConfigsRequest([(_TOPIC, name, None)]), what=what)
    ((code, _, _, _, entries),) = answer.resources
    if (error := kafka.for_code(code)) is not kafka.NoError:
        raise failure(error(), what)
    return {entry[0]: entry[1] for entry in entries}


def _not_created(error: kafka.KafkaError, name: str) -> KafkaFailed:
    if isinstance(error, kafka.InvalidReplicationFactorError):
        return Untrusted(f"{name}: the cluster has too few brokers for KAFKA_REPLICATION_FACTOR")
    if isinstance(error, kafka.PolicyViolationError):
        return Untrusted(f"{name}: the cluster's own policy refuses a topic like that")
    return failure(error, f"creating {name}")
