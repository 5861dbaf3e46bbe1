"""Why there is no connection to a broker, in words: nobody there, or somebody who refuses, and then what to mend.

A listener never says "you speak the wrong protocol", it closes the connection. So what may be that is looked at once
more, in the protocol that would explain it: only an answer there makes it a refusal, which ends `run`; anything else
is a cluster that may come back, which `run` waits for.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from aiokafka import errors as kafka

from producer.errors import AccessDenied, KafkaFailed, Unavailable
from producer.kafka import clients
from producer.kafka.aiokafka_errors import failure
from producer.kafka.connection import Connection

_EXPIRED = 10
"""X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL; the next are X509_V_ERR_HOSTNAME_MISMATCH and …_IP_ADDRESS_MISMATCH."""
_OTHER_HOST = (62, 64)


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """Where a broker listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


async def diagnosis(error: Exception, address: Address, connection: Connection) -> KafkaFailed:
    """The failure that `error` of a connection attempt stands for."""
    causes = list(_causes(error))
    for one in causes:
        if isinstance(one, KafkaFailed):
            return one
    for one in causes:
        if isinstance(one, ssl.SSLError):
            break
        if isinstance(one, kafka.KafkaError) and not isinstance(one, kafka.KafkaConnectionError):
            return failure(one, str(address))
    for one in causes:
        if isinstance(one, ssl.SSLCertVerificationError):
            return AccessDenied(f"{address}: {_untrusted(one, address)}")
        if isinstance(one, ssl.SSLError) and "CERTIFICATE" in (one.reason or ""):
            return AccessDenied(f"{address}: {_refused_certificate(one.reason)}")
    return await _second_look(causes[-1], address, connection)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _untrusted(error: ssl.SSLCertVerificationError, address: Address) -> str:
    if error.verify_code == _EXPIRED:
        return "the broker's certificate has expired (or one that signed it): renew it there, or see this clock"
    if error.verify_code in _OTHER_HOST:
        return (
            f"the broker's certificate is for another host than {address.host}: use a name that it has, in "
            "KAFKA_BOOTSTRAP_SERVERS and in the brokers' advertised.listeners"
        )
    return f"the broker's certificate is not trusted, {error.verify_message}: name its authority in KAFKA_SSL_CAFILE"


def _refused_certificate(reason: str) -> str:
    if "REQUIRED" in reason or "NO_CERTIFICATE" in reason:
        return "the broker wants a certificate of ours: set KAFKA_SSL_CERTFILE and KAFKA_SSL_KEYFILE"
    alert = reason.partition("ALERT_")[2].replace("_", " ").lower() or "no reason given"
    return (
        f"the broker refuses the certificate in KAFKA_SSL_CERTFILE ({alert}): it has expired, or the broker does not "
        "trust who signed it"
    )


async def _second_look(error: BaseException, address: Address, connection: Connection) -> KafkaFailed:
    protocol, patience = connection.settings.security_protocol, connection.patience
    set_to = f"(KAFKA_SECURITY_PROTOCOL is {protocol})"
    if _may_be_protocol(error):
        secure = protocol.endswith("SSL")
        if secure and await _speaks_plain(address, patience):
            right = "SASL_PLAINTEXT" if protocol.startswith("SASL") else "PLAINTEXT"
            return AccessDenied(f"{address} speaks no TLS: set KAFKA_SECURITY_PROTOCOL={right} {set_to}")
        if not secure and await _speaks_tls(address, patience):
            right = "SASL_SSL" if protocol.startswith("SASL") else "SSL or SASL_SSL"
            return AccessDenied(f"{address} speaks TLS: set KAFKA_SECURITY_PROTOCOL={right} {set_to}")
        if isinstance(error, ssl.SSLError) and error.reason:
            return AccessDenied(f"{address} speaks no TLS that we can use: {error.reason} {set_to}")
        return Unavailable(f"{address} closes the connection at once {set_to}")
    return Unavailable(f"{address}: {_network(error, patience)}")


def _may_be_protocol(error: BaseException) -> bool:
    # A listener in plain text waits for the rest of what it takes the TLS greeting for, or hangs up.
    closed = (kafka.KafkaConnectionError, EOFError, ConnectionResetError, ConnectionAbortedError, ssl.SSLError)
    return isinstance(error, closed)


def _network(error: BaseException, patience: float) -> str:
    if isinstance(error, socket.gaierror):
        return "no such host is known here"
    if isinstance(error, TimeoutError):
        return f"no answer within {patience:g} s"
    # Of several addresses asyncio tells each: "Multiple exceptions: [Errno 111] Connect call failed (...".
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return "nothing listens there"
    return getattr(error, "strerror", None) or type(error).__name__


async def _speaks_plain(address: Address, patience: float) -> bool:
    try:
        clients.cut(await clients.connect(address.host, address.port, seconds=patience, what=str(address)))
    except Exception:  # noqa: BLE001 (any failure means that it does not)
        return False
    return True


async def _speaks_tls(address: Address, patience: float) -> bool:
    context = ssl.create_default_context()
    # Nothing is sent over this connection; whose certificate it is does not matter.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(patience):
            _, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    return True
