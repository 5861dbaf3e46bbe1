"""Why a listener that took our connection hangs up at the first request: two refusals that it does not tell.

without a login   it wants one, and closes the connection
OAUTHBEARER       it answers the token with an error and waits for our consent to fail (RFC 7628, section 3.2.3);
                  aiokafka takes any answer for a welcome, and then the connection is closed
"""

from __future__ import annotations

from typing import Any

import orjson
from aiokafka import errors as kafka
from aiokafka.protocol.admin import SaslAuthenticateRequest, SaslHandShakeRequest

from producer.errors import AccessDenied, KafkaFailed
from producer.kafka import clients
from producer.kafka.access.diagnosis import Address
from producer.kafka.bounds import bounded
from producer.kafka.connection import Connection


async def login_refusal(connection: Connection, address: Address) -> AccessDenied | None:
    """What the listener has against us; None if that is not why it hangs up, or if it can't be asked."""
    try:
        return await bounded(_ask(connection, address), seconds=connection.patience, what=str(address))
    except (KafkaFailed, kafka.KafkaError, OSError, TimeoutError):
        return None


async def _ask(connection: Connection, address: Address) -> AccessDenied | None:
    protocol = connection.settings.security_protocol
    options = connection.options()
    conn = await clients.connect(
        address.host,
        address.port,
        seconds=connection.patience,
        what=str(address),
        client_id=connection.client_id,
        # The login itself is what is looked at, so not the connection's own.
        security_protocol="SSL" if protocol.endswith("SSL") else "PLAINTEXT",
        ssl_context=options.get("ssl_context"),
        request_timeout_ms=int(connection.patience * 1000),
    )
    try:
        mechanisms = (await conn.send(SaslHandShakeRequest("OAUTHBEARER"))).enabled_mechanisms
        if not protocol.startswith("SASL"):
            return _wanted(address, protocol, mechanisms)
        return await _refused_token(conn, connection, address)
    finally:
        clients.cut(conn)


def _wanted(address: Address, protocol: str, mechanisms: list[str]) -> AccessDenied | None:
    if not mechanisms:
        return None
    right = "SASL_SSL" if protocol == "SSL" else "SASL_PLAINTEXT"
    return AccessDenied(
        f"{address} wants a login: set KAFKA_SECURITY_PROTOCOL={right} (it is {protocol}) and KAFKA_SASL_MECHANISM="
        f"{' or '.join(sorted(mechanisms))}"
    )


async def _refused_token(conn: Any, connection: Connection, address: Address) -> AccessDenied | None:
    if connection.tokens is None:
        return None
    token = await connection.tokens.token()
    answer = await conn.send(SaslAuthenticateRequest(f"n,,\x01auth=Bearer {token}\x01\x01".encode()))
    if answer.error_code == 0 and not answer.sasl_auth_bytes:
        return None
    return AccessDenied(
        f"{address}: Kafka refuses the token that KAFKA_SASL_OAUTH_TOKEN_URL gave ({_status(answer.sasl_auth_bytes)}): "
        "see KAFKA_SASL_OAUTH_SCOPE and what the brokers want of issuer, audience and lifetime"
    )


def _status(challenge: bytes | None) -> str:
    """The broker's `status`, `invalid_token` as a rule; nothing else of what it says is repeated."""
    try:
        status = orjson.loads(challenge or b"{}").get("status")
    except (orjson.JSONDecodeError, AttributeError):
        status = None
    known = ("invalid_token", "insufficient_scope", "invalid_request")
    return status if status in known else "it says no reason"
