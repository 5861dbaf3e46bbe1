"""Tokens for SASL OAUTHBEARER, as aiokafka asks for them at each connection: kept until shortly before they expire."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiokafka import errors as kafka
from aiokafka.abc import AbstractTokenProvider

from producer.clock import Clock, SystemClock
from producer.errors import KafkaFailed
from producer.kafka.access.client_credentials import ClientCredentials, Token
from producer.settings.sections import Kafka

MARGIN = 0.2
"""The last fifth of a token's life is not used: the broker's clock may be ahead, and a login takes time."""


class NoToken(kafka.KafkaConnectionError):  # type: ignore[misc]  # aiokafka ships no types
    """No token, so no connection: of a kind that aiokafka's clients survive and try again; the cause is ours."""


class Tokens(AbstractTokenProvider):  # type: ignore[misc]  # as above
    """The token of this instance, one for all its clients; fetched when it is needed and by one of them only.

    `fetch` gets a new one; raises Unavailable or AccessDenied.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Token]], *, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._token: Token | None = None
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """A token with at least a fifth of its life ahead; raises NoToken."""
        async with self._lock:
            if self._token is None or self._clock.now().boot >= self._until:
                self._token = await self._fetched()
            return self._token.token

    async def _fetched(self) -> Token:
        self._token, asked = None, self._clock.now().boot
        try:
            token = await self._fetch()
        except KafkaFailed as error:
            raise NoToken(str(error)) from error
        self._until = asked + token.seconds * (1 - MARGIN)
        return token


def tokens_of(settings: Kafka) -> Tokens | None:
    """The tokens that KAFKA_SASL_MECHANISM=OAUTHBEARER logs in with; None for any other."""
    url, secret = settings.sasl_oauth_token_url, settings.sasl_oauth_client_secret
    client_id = settings.sasl_oauth_client_id
    if settings.sasl_mechanism != "OAUTHBEARER":
        return None
    assert url is not None
    assert client_id is not None
    assert secret is not None, "the settings refuse OAUTHBEARER without them"
    credentials = ClientCredentials(
        url=url, client_id=client_id, secret=secret.read, scope=settings.sasl_oauth_scope, cafile=settings.ssl_cafile
    )
    return Tokens(credentials.fetch, clock=SystemClock())
