"""A real broker that lets nobody in without a login and nobody do what an ACL does not grant."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from producer.demo.broker import EmbeddedKafka
from tests.integration.security.certificates import Authority

LISTENERS = {
    "LOGIN": "SASL_SSL",
    "CLEAR": "SASL_PLAINTEXT",
    "MUTUAL": "SSL",
    "EXPIRED": "SSL",
    "STRANGER": "SSL",
    "BARE": "SSL",
    "BRIEF": "SASL_SSL",
}
"""LOGIN and CLEAR take every mechanism; EXPIRED has a certificate of yesterday, STRANGER one for another host.

BARE wants neither a login nor a certificate, and its own does not say who signed it; BRIEF is as LOGIN, and hangs up
on whoever logged in SESSION ms ago.
"""
SESSION = 3000
PASSWORD = "right-and-long-0192"
USERS = 24
"""Users `user-1` and so on, each for one test, known to PLAIN and to SCRAM."""
_MODULES = "org.apache.kafka.common.security"


def secured_kafka(folder: Path, trusted: Authority) -> EmbeddedKafka:
    """The broker, not started; its certificates are `trusted`'s and it trusts clients that `trusted` signed."""
    ours = trusted.server("broker")
    certificates = {
        "LOGIN": ours,
        "MUTUAL": ours,
        "BARE": trusted.anonymous("bare"),
        "BRIEF": ours,
        "EXPIRED": trusted.server("expired", expired=True),
        "STRANGER": trusted.server("stranger", "kafka.example"),
    }
    properties = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(trusted.file),
        "listener.name.mutual.ssl.client.auth": "required",
        "listener.name.brief.connections.max.reauth.ms": str(SESSION),
        "ssl.principal.mapping.rules": r"RULE:^.*CN=([^,]+).*$/$1/",
    }
    for listener, leaf in certificates.items():
        properties |= _keystore(listener.lower(), leaf.both)
    for listener in ("login", "clear", "brief"):
        properties |= _mechanisms(listener)
    return EmbeddedKafka(listeners=LISTENERS, properties=properties, format_arguments=_scram_users())


def _keystore(listener: str, file: Path) -> Mapping[str, str]:
    prefix = f"listener.name.{listener}.ssl.keystore"
    return {f"{prefix}.type": "PEM", f"{prefix}.location": str(file)}


def _mechanisms(listener: str) -> Mapping[str, str]:
    prefix = f"listener.name.{listener}"
    users = " ".join(f'user_user-{number}="{PASSWORD}"' for number in range(1, USERS + 1))
    return {
        f"{prefix}.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512,OAUTHBEARER",
        f"{prefix}.plain.sasl.jaas.config": f"{_MODULES}.plain.PlainLoginModule required {users};",
        f"{prefix}.scram-sha-512.sasl.jaas.config": f"{_MODULES}.scram.ScramLoginModule required;",
        # Without a validator of its own Kafka takes unsigned tokens: whoever shows one is who it says.
        f"{prefix}.oauthbearer.sasl.jaas.config": f"{_MODULES}.oauthbearer.OAuthBearerLoginModule required;",
    }


def _scram_users() -> list[str]:
    names = ("scram", "rotating", "changed")
    return [part for name in names for part in ("--add-scram", f"SCRAM-SHA-512=[name={name},password={PASSWORD}]")]
