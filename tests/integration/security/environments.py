"""Settings as an operator gives them: environment variables, one function a way to log in."""

from __future__ import annotations

from producer.demo.simulator import Simulator
from tests.integration.security.certificates import Leaf
from tests.integration.security.conftest import Secured
from tests.integration.security.secured import PASSWORD
from tests.integration.security.token_server import SECRET


def api(simulator: Simulator) -> dict[str, str]:
    """The source."""
    return {"WOLKVOX_SERVER": simulator.server, "WOLKVOX_TOKEN": simulator.token, "WOLKVOX_URL": simulator.url}


def scram(secured: Secured, user: str) -> dict[str, str]:
    """SCRAM over TLS."""
    return _password(secured, user) | {"KAFKA_SASL_MECHANISM": "SCRAM-SHA-512"}


def plain(secured: Secured, user: str) -> dict[str, str]:
    """PLAIN over TLS."""
    return _password(secured, user) | {"KAFKA_SASL_MECHANISM": "PLAIN"}


def mutual_tls(secured: Secured, leaf: Leaf) -> dict[str, str]:
    """A certificate instead of a login."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": secured.kafka.address("MUTUAL"),
        "KAFKA_SECURITY_PROTOCOL": "SSL",
        "KAFKA_SSL_CAFILE": str(secured.authority.file),
        "KAFKA_SSL_CERTFILE": str(leaf.chain),
        "KAFKA_SSL_KEYFILE": str(leaf.key),
    }


def oauth(secured: Secured, url: str, *, client: str, listener: str = "CLEAR") -> dict[str, str]:
    """A token, on a listener with or without TLS."""
    tls = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SSL_CAFILE": str(secured.authority.file)}
    return {
        "KAFKA_BOOTSTRAP_SERVERS": secured.kafka.address(listener),
        **(tls if listener == "LOGIN" else {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}),
        "KAFKA_SASL_MECHANISM": "OAUTHBEARER",
        "KAFKA_SASL_OAUTH_TOKEN_URL": url,
        "KAFKA_SASL_OAUTH_CLIENT_ID": client,
        "KAFKA_SASL_OAUTH_CLIENT_SECRET": SECRET,
        "KAFKA_SASL_OAUTH_SCOPE": "kafka",
    }


def _password(secured: Secured, user: str) -> dict[str, str]:
    return {
        "KAFKA_BOOTSTRAP_SERVERS": secured.kafka.address("LOGIN"),
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SSL_CAFILE": str(secured.authority.file),
        "KAFKA_SASL_USERNAME": user,
        "KAFKA_SASL_PASSWORD": PASSWORD,
    }
