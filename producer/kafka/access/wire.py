"""One connection to one broker, and in words why there is none.

aiokafka's clients try all bootstrap servers and then say only that none answered; who checks an installation wants the
reason of each: no such host, nothing listens, another protocol, an untrusted certificate, a wrong password.
"""

from __future__ import annotations

from typing import Any

from aiokafka.conn import AIOKafkaConnection

from producer.errors import KafkaFailed
from producer.kafka import clients
from producer.kafka.access.diagnosis import Address, diagnosis
from producer.kafka.aiokafka_errors import named
from producer.kafka.connection import Connection

__all__ = ["Address", "Wire", "connect"]

_NOT_FOR_ONE = ("bootstrap_servers", "metadata_max_age_ms")


class Wire:
    """A connection to the broker at `address`; made by `connect`."""

    def __init__(self, conn: AIOKafkaConnection, address: Address) -> None:
        self._conn = conn
        self.address = address

    async def ask(self, request: Any, *, what: str) -> Any:
        """The broker's answer to a request of aiokafka's protocol; raises KafkaFailed."""
        with named(what):
            return await self._conn.send(request)

    def speaks(self, request: type[Any], *, version: int | None = None) -> bool:
        """Whether the broker knows a request of aiokafka's protocol, in some version or in this one."""
        least, most = self._conn._versions.get(request.API_KEY, (0, -1))  # noqa: SLF001 (told at the connecting)
        return most >= 0 if version is None else bool(least <= version <= most)

    def close(self) -> None:
        """Let the connection go."""
        clients.cut(self._conn)


async def connect(connection: Connection, address: Address) -> Wire:
    """A connection, logged in; raises Unavailable or AccessDenied with the reason in words."""
    options = {name: value for name, value in connection.options().items() if name not in _NOT_FOR_ONE}
    options["request_timeout_ms"] = int(connection.patience * 1000)
    try:
        if connection.tokens is not None:
            await connection.tokens.token()  # its server has a patience of its own; then it is kept for the broker
        patience = connection.patience
        conn = await clients.connect(address.host, address.port, seconds=patience, what=str(address), **options)
    except KafkaFailed:
        raise
    except Exception as error:  # noqa: BLE001 (a network can fail in any way; the type decides what is told)
        raise await diagnosis(error, address, connection) from None
    return Wire(conn, address)
