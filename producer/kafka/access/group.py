"""The consumer group as its coordinator sees it: who is in it, whether we may join, whether our place is taken.

Nobody joins for that: a member that comes and goes would make the running instances rebalance. Whoever asks to join
again as a member that the group never had is told what is wrong with him first, and only then that he is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiokafka import errors as kafka
from aiokafka.protocol.group import JoinGroupRequest

from producer.errors import KafkaFailed, Replaced, Untrusted
from producer.kafka.access.group_requests import DescribeGroups, StaticHeartbeat
from producer.kafka.access.inquiry import GROUP, Inquiry, settled
from producer.kafka.access.permissions import broker_config
from producer.kafka.aiokafka_errors import failure
from producer.kafka.assignor import StickyShards
from producer.model import Topic
from producer.settings import Kafka

PROTOCOL_TYPE = "consumer"
_NOBODY = "wolkvox-hits-check"
"""The id of a member that no group ever had."""
_VERDICTS = (kafka.UnknownMemberIdError, kafka.InvalidSessionTimeoutError, kafka.InconsistentGroupProtocolError)
_FENCED_INSTANCE_ID = 82
"""Which aiokafka has no name for."""
_BOUNDS = ("group.min.session.timeout.ms", "group.max.session.timeout.ms")


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a consumer group; `instance_id` if it is a static one and the broker is not too old to say so."""

    client_id: str
    host: str
    instance_id: str | None

    def __str__(self) -> str:
        return f"{self.client_id} at {self.host.removeprefix('/')}"


@dataclass(frozen=True, slots=True)
class Group:
    """Nobody in it is a group that is empty or was never there."""

    members: tuple[Member, ...]


async def describe_group(cluster: Inquiry) -> Group:
    """The group KAFKA_GROUP_ID; raises KafkaFailed, AccessDenied without the permission to describe it."""
    name = cluster.connection.settings.group_id
    what = f"describing the group {name}"
    wire = await cluster.coordinator(GROUP, name, what=what)
    answer = await wire.ask(DescribeGroups([name]), what=what)
    (group,) = answer.to_object()["groups"]
    if (error := kafka.for_code(group["error_code"])) is not kafka.NoError:
        raise failure(error(), what)
    members = (Member(one["client_id"], one["client_host"], one.get("instance_id")) for one in group["members"])
    return Group(tuple(members))


async def try_group(cluster: Inquiry) -> None:
    """Have the coordinator say whether we might join with these credentials and settings; raises KafkaFailed."""
    name = cluster.connection.settings.group_id
    what = f"joining the group {name}"
    request = _joining_again(cluster.connection.settings)

    async def ask() -> Any:
        wire = await cluster.coordinator(GROUP, name, what=what)
        return await wire.ask(request, what=what)

    error = kafka.for_code((await settled(ask, what=what, fine=_VERDICTS)).error_code)
    if error is kafka.InvalidSessionTimeoutError:
        raise Untrusted(await _out_of_bounds(cluster))
    if error is kafka.InconsistentGroupProtocolError:
        raise Untrusted(_foreign(name, await describe_group(cluster)))


async def refuse_replaced(cluster: Inquiry, member_id: str) -> None:
    """Raise Replaced if KAFKA_GROUP_INSTANCE_ID is another's meanwhile than the member's that we were."""
    settings = cluster.connection.settings
    name, own = settings.group_id, settings.group_instance_id
    assert own is not None
    what = f"asking the group {name} for our place"
    wire = await cluster.coordinator(GROUP, name, what=what)
    if not wire.speaks(StaticHeartbeat, version=StaticHeartbeat.VERSION):
        return
    answer = await wire.ask(StaticHeartbeat(name, member_id, own), what=what)
    if answer.error_code == _FENCED_INSTANCE_ID:
        raise Replaced(
            f"another instance has KAFKA_GROUP_INSTANCE_ID {own} and took the place in the group {name} that was ours: "
            "give each instance a name of its own"
        )


def _joining_again(settings: Kafka) -> JoinGroupRequest:
    session = int(settings.session_timeout * 1000)
    assignor = StickyShards(loaded=())
    said = assignor.metadata([settings.topic + Topic.LEDGER]).encode()
    # Never with KAFKA_GROUP_INSTANCE_ID: that would throw the running instance out.
    return JoinGroupRequest(settings.group_id, session, session, _NOBODY, None, PROTOCOL_TYPE, [(assignor.name, said)])


async def _out_of_bounds(cluster: Inquiry) -> str:
    seconds = cluster.connection.settings.session_timeout
    try:
        config = await broker_config(cluster)
        least, most = (int(config[name]) / 1000 for name in _BOUNDS)
        bounds = f"{least:g} to {most:g} s"
    except (KafkaFailed, KeyError, ValueError):
        bounds = "unless they were changed 6 to 1800 s"  # to know them takes DescribeConfigs on the cluster
    return f"KAFKA_SESSION_TIMEOUT is {seconds:g} s, outside what the brokers allow, {bounds} ({', '.join(_BOUNDS)})"


def _foreign(name: str, group: Group) -> str:
    who = ", ".join(sorted({str(member) for member in group.members})) or "somebody who has just left"
    return (
        f"the group {name} has members that are no wolkvox-hits: {who}. Stop them or give them a group of their own, "
        "or set KAFKA_GROUP_ID to a name that nobody else has"
    )
