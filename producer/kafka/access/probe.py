"""Whether the cluster lets us in with the settings of this moment: tried on a connection of its own.

aiokafka's clients say of a refused login, an untrusted certificate and a dead broker alike that nobody answers, and go
on trying for ever. Asking first, and again when they fall silent, tells a cluster to wait for from one that refuses.
"""

from __future__ import annotations

from producer.errors import AccessDenied, Discard, Fenced, KafkaFailed, TooLarge, Unavailable, Untrusted
from producer.kafka.access.diagnosis import Address
from producer.kafka.access.group import try_group
from producer.kafka.access.inquiry import Inquiry
from producer.kafka.access.logins import login_refusal
from producer.kafka.access.permissions import PROBE, refuse_missing_topic_rights, try_transactional_id
from producer.kafka.bounds import bounded
from producer.kafka.connection import Connection
from producer.model import Topic

BOUND = 15.0
"""Seconds for all of it."""
EXPLANATION_BOUND = 10.0
"""Seconds that it may take longer until a failure is dealt with, so that it can be told what is behind it."""


async def probe(connection: Connection) -> None:
    """Return if the cluster lets us in; raises AccessDenied if it or one of its brokers refuses, else Unavailable."""
    await bounded(_probe(connection), seconds=BOUND, what=f"connecting to {connection.settings.bootstrap_servers}")


async def explained(error: KafkaFailed, connection: Connection) -> KafkaFailed:
    """`error`, or the refusal that is behind it: asked when a client fails and does not say why."""
    if isinstance(error, Fenced | TooLarge | Untrusted):
        return error
    try:
        await bounded(_refusals(connection), seconds=EXPLANATION_BOUND, what="asking what is refused")
    except (AccessDenied, Untrusted) as refused:
        return refused
    except KafkaFailed:
        pass
    return error


async def refuse_missing_rights(cluster: Inquiry, *, heals: bool = False) -> None:
    """Return if topics that exist, the group and transactional ids may be used; raises AccessDenied or Untrusted.

    Asked before anything begins: else it shows with the first dead letter, or on the standby in the night when it has
    to take over.
    """
    await refuse_missing_topic_rights(cluster, heals=heals)
    await try_group(cluster)
    await try_transactional_id(cluster, f"{cluster.connection.settings.topic}{Topic.LEDGER}-{PROBE}")


async def _refusals(connection: Connection) -> None:
    await probe(connection)
    async with Inquiry(connection) as cluster:
        await refuse_missing_rights(cluster)


async def _probe(connection: Connection) -> None:
    async with Inquiry(connection) as cluster:
        wire = await cluster.any_wire()
        try:
            brokers = await _brokers(cluster)
        except (Unavailable, Discard) as error:
            raise await login_refusal(connection, wire.address) or error from None
        # A certificate may be good for the bootstrap's name and not for the one that a broker advertises.
        for trouble in (await cluster.answers(brokers)).values():
            if isinstance(trouble, AccessDenied):
                raise trouble


async def _brokers(cluster: Inquiry) -> list[Address]:
    found = list((await cluster.metadata()).brokers.values())
    if not found:  # what a broker still has to say of a failed login reads as an empty answer
        raise Unavailable(f"{cluster.connection.settings.bootstrap_servers} answers, but names no broker")
    return found
