"""Whether the cluster lets us in with the settings of this moment: tried on a connection of its own.

aiokafka's clients say of a refused login, an untrusted certificate and a dead broker alike that nobody answers, and go
on trying for ever. Asking first, and again when they fall silent, tells a cluster to wait for from one that refuses.
"""

from __future__ import annotations

import asyncio

from producer.errors import AccessDenied, KafkaFailed, Unavailable
from producer.kafka.bounds import bounded
from producer.kafka.connection import Connection
from producer.kafka.diagnosis import wants_login
from producer.kafka.inquiry import Inquiry

BOUND = 15.0
"""Seconds for all of it."""
PAUSE = 10.0
"""Seconds between two tries of credentials that are not accepted yet."""


async def probe(connection: Connection) -> None:
    """Return if the cluster lets us in; raises AccessDenied if it or one of its brokers refuses, else Unavailable."""
    await bounded(_probe(connection), seconds=BOUND, what=f"connecting to {connection.settings.bootstrap_servers}")


async def explained(error: KafkaFailed, connection: Connection) -> KafkaFailed:
    """`error`, or the refusal that is behind it: asked when a client has no answer and does not say why."""
    try:
        await probe(connection)
    except AccessDenied as denied:
        return denied
    except KafkaFailed:
        pass
    return error


class Rotation:
    """Tells when the credentials that a client was made with have been replaced by others that are accepted.

    aiokafka's clients keep what they were given: after a rotation they go on until a connection breaks, and then stay
    outside. What is not accepted yet waits: a file may be replaced before the cluster knows the new password.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stamp = connection.stamp()
        self._again = 0.0

    async def due(self) -> bool:
        """Whether a new client should take over now; asks the cluster only if a file has changed."""
        now = asyncio.get_running_loop().time()
        if now < self._again or self._connection.stamp() == self._stamp:
            return False
        self._again = now + PAUSE
        try:
            await probe(self._connection)
        except KafkaFailed:
            return False
        return True


async def _probe(connection: Connection) -> None:
    async with Inquiry(connection) as cluster:
        wire = await cluster.any_wire()
        try:
            found = await cluster.metadata()
        except Unavailable as error:
            options = connection.options()
            wanted = await wants_login(wire.address, options["security_protocol"], options.get("ssl_context"))
            raise wanted or error from None
        # A certificate may be good for the bootstrap's name and not for the one that a broker advertises.
        for trouble in (await cluster.answers(list(found.brokers.values()))).values():
            if isinstance(trouble, AccessDenied):
                raise trouble
