"""What `check` asks of Kafka: who answers, whether topics fit, what is permitted. Nothing is created, nobody fenced."""

from __future__ import annotations

from collections.abc import AsyncIterator

from producer.commands.check_findings import Finding, failed, ok, warning
from producer.commands.check_topics import TopicsCheck, grant
from producer.errors import AccessDenied, KafkaFailed, Untrusted
from producer.kafka.access.group import describe_group, try_group
from producer.kafka.access.inquiry import Inquiry
from producer.kafka.access.metadata import Metadata, Operation
from producer.kafka.access.permissions import PROBE, try_transactional_id
from producer.kafka.connection import Connection
from producer.model import Topic
from producer.settings import Kafka

AREA = "kafka"

_LOGIN = "see KAFKA_SECURITY_PROTOCOL and the KAFKA_SASL_* and KAFKA_SSL_* settings"
_NETWORK = "see KAFKA_BOOTSTRAP_SERVERS, and whether a firewall lets you through"


async def kafka_findings(connection: Connection, *, heals: bool) -> AsyncIterator[Finding]:
    """What is found, as soon as it is; after "nobody answers" no further. `heals` with RECOVER_GAPS=history."""
    async with Inquiry(connection) as cluster:
        reached = False
        async for finding in _bootstrap(cluster):
            reached = reached or finding.verdict == "ok"
            yield finding
        if not reached:
            return
        names = [connection.settings.topic + topic for topic in Topic]
        try:
            found = await cluster.metadata(names)
        except KafkaFailed as error:
            yield _failed("cluster", error)
            return
        async for finding in _brokers(cluster, found):
            yield finding
        async for finding in TopicsCheck(cluster, found, heals=heals).findings():
            yield finding
        yield await _group(cluster)
        yield await _transactional_id(cluster)


async def _bootstrap(cluster: Inquiry) -> AsyncIterator[Finding]:
    try:
        troubles = await cluster.answers(cluster.bootstrap)
    except AccessDenied as error:  # a certificate of ours that can't be read
        yield failed(AREA, "login", str(error), _LOGIN)
        return
    any_answers = None in troubles.values()
    for address, trouble in troubles.items():
        if trouble is None:
            yield ok(AREA, "bootstrap", f"{address} answers ({_how(cluster.connection.settings)})")
        elif any_answers:
            hint = "the others serve; take it out of KAFKA_BOOTSTRAP_SERVERS if it is gone for good"
            yield warning(AREA, "bootstrap", str(trouble), hint)
        else:
            yield failed(AREA, "bootstrap", str(trouble), _hint(trouble))


async def _brokers(cluster: Inquiry, found: Metadata) -> AsyncIterator[Finding]:
    """Brokers are reached by the names that they advertise, which need not be those of the bootstrap servers."""
    troubles = await cluster.answers(list(found.brokers.values()))
    hint = "the brokers' advertised.listeners must be names that this machine can reach"
    for number, address in found.brokers.items():
        if (trouble := troubles[address]) is not None:
            yield failed(AREA, "brokers", f"broker {number} is advertised as {address}: {trouble}", hint)
    if not any(troubles.values()):
        count = len(found.brokers)
        yield ok(AREA, "brokers", f"{count} broker{'' if count == 1 else 's'}, each reached as advertised")


async def _group(cluster: Inquiry) -> Finding:
    name = cluster.connection.settings.group_id
    try:
        await try_group(cluster)
        group = await describe_group(cluster)
    except AccessDenied as error:
        hint = grant(cluster.connection.settings, [Operation.READ], "--group", name)
        return failed(AREA, "group", str(error), hint)
    except KafkaFailed as error:
        return _failed("group", error)
    count = len(group.members)
    who = f"{count} member{'' if count == 1 else 's'} now" if count else "nobody in it now"
    own = cluster.connection.settings.group_instance_id
    for member in group.members:
        if own is not None and member.instance_id == own:
            text = f"{name} may be joined; {who}, of which {member} has KAFKA_GROUP_INSTANCE_ID {own}"
            return warning(AREA, "group", text, "fine if this is to take its place; else give each a name of its own")
    return ok(AREA, "group", f"{name} may be joined; {who}")


async def _transactional_id(cluster: Inquiry) -> Finding:
    prefix = f"{cluster.connection.settings.topic}{Topic.LEDGER}-"
    try:
        await try_transactional_id(cluster, prefix + PROBE)
    except AccessDenied as error:
        where = ("--transactional-id", prefix, "--resource-pattern-type", "prefixed")
        hint = grant(cluster.connection.settings, [Operation.WRITE], *where)
        return failed(AREA, "transactions", str(error), hint)
    except Untrusted as error:
        return _failed("transactions", error)
    except KafkaFailed as error:
        hint = "a cluster of fewer brokers than transaction.state.log.replication.factor has no transactions"
        return failed(AREA, "transactions", str(error), hint)
    return ok(AREA, "transactions", f"permitted: tried with {prefix}{PROBE}, which belongs to no shard")


def _how(settings: Kafka) -> str:
    mechanism = f", {settings.sasl_mechanism} as {settings.sasl_username}" if settings.sasl_username else ""
    return f"{settings.security_protocol}{mechanism}"


def _failed(subject: str, error: KafkaFailed) -> Finding:
    return failed(AREA, subject, str(error), _hint(error))


def _hint(error: KafkaFailed) -> str:
    if isinstance(error, Untrusted):
        return "`run` would end with this"
    return _LOGIN if isinstance(error, AccessDenied) else _NETWORK
