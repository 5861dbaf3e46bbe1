"""One connection to one broker, and in words why there is none.

aiokafka's clients try all bootstrap servers and then say only that none answered; who checks an installation wants the
reason of each: no such host, nothing listens, another protocol, an untrusted certificate, a wrong password.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from typing import Any

from aiokafka import errors as kafka
from aiokafka.conn import AIOKafkaConnection, create_conn

from producer.errors import AccessDenied, KafkaFailed, Unavailable
from producer.kafka.bounds import bounded
from producer.kafka.connection import Connection
from producer.kafka.failures import failure, named

PATIENCE = 5.0
"""Seconds for one connection, and for one answer."""
_CLOSE_BOUND = 1.0
_NOT_FOR_ONE = ("bootstrap_servers", "metadata_max_age_ms")


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """Where a broker listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Wire:
    """A connection to the broker at `address`; made by `connect`."""

    def __init__(self, conn: AIOKafkaConnection, address: Address) -> None:
        self._conn = conn
        self.address = address

    async def ask(self, request: Any, *, what: str) -> Any:
        """The broker's answer to a request of aiokafka's protocol; raises KafkaFailed."""
        with named(what):
            return await self._conn.send(request)

    async def close(self) -> None:
        """Let the connection go."""
        closed = self._conn.close()
        if closed is not None:
            with named("closing a connection"):
                await bounded(_ended(closed), seconds=_CLOSE_BOUND, what="closing a connection")


async def connect(connection: Connection, address: Address) -> Wire:
    """A connection, logged in; raises Unavailable or AccessDenied with the reason in words."""
    options = {name: value for name, value in connection.options().items() if name not in _NOT_FOR_ONE}
    options["request_timeout_ms"] = int(PATIENCE * 1000)
    try:
        opening = create_conn(address.host, address.port, **options)
        return Wire(await bounded(opening, seconds=PATIENCE, what=str(address)), address)
    except KafkaFailed:
        raise
    except Exception as error:  # noqa: BLE001 (a network can fail in any way; the type decides what is told)
        raise _reason(error, address, connection) from None


def _reason(error: Exception, address: Address, connection: Connection) -> KafkaFailed:
    protocol = f"KAFKA_SECURITY_PROTOCOL={connection.settings.security_protocol}"
    match error:
        case ssl.SSLCertVerificationError():
            return AccessDenied(f"{address}: its certificate is not trusted: {error.verify_message} (KAFKA_SSL_CAFILE)")
        case ssl.SSLError():
            return AccessDenied(f"{address} speaks no TLS that we can use ({error.reason}), and {protocol}")
        case kafka.KafkaConnectionError() | EOFError() | ConnectionResetError():
            return Unavailable(f"{address} closes the connection at once: perhaps not the protocol of {protocol}")
        case OSError():
            return Unavailable(f"{address}: {_network(error)}")
    return failure(error, str(address))


def _network(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "no such host is known here"
    if isinstance(error, TimeoutError):
        return f"no answer within {PATIENCE:g} s"
    # Of several addresses asyncio tells each: "Multiple exceptions: [Errno 111] Connect call failed (...".
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return "nothing listens there"
    return error.strerror or type(error).__name__


async def _ended(closed: Any) -> None:
    await closed
