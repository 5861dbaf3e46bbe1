"""A connection to Kafka from the settings: the one place where the token server and the brokers meet."""

from __future__ import annotations

from producer.clock import Clock, SystemClock
from producer.kafka.access.client_credentials import ClientCredentials
from producer.kafka.connection import Connection
from producer.kafka.tokens import Tokens
from producer.settings.sections import Kafka


def connection(kafka: Kafka, *, client_id: str, clock: Clock | None = None) -> Connection:
    """How to reach the cluster of the settings; raises SettingsError if a codec's package is missing."""
    return Connection(kafka, client_id=client_id, tokens=_tokens(kafka, clock or SystemClock()))


def _tokens(kafka: Kafka, clock: Clock) -> Tokens | None:
    url, client_id, secret = kafka.sasl_oauth_token_url, kafka.sasl_oauth_client_id, kafka.sasl_oauth_client_secret
    if kafka.sasl_mechanism != "OAUTHBEARER":
        return None
    assert url is not None
    assert client_id is not None
    assert secret is not None, "the settings refuse OAUTHBEARER without them"
    credentials = ClientCredentials(
        url=url, client_id=client_id, secret=secret.read, scope=kafka.sasl_oauth_scope, cafile=kafka.ssl_cafile
    )
    return Tokens(credentials.fetch, clock=clock)
