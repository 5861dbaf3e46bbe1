"""Tokens for SASL OAUTHBEARER, as aiokafka asks for them at each connection: kept until shortly before they expire."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from aiokafka import errors as kafka
from aiokafka.abc import AbstractTokenProvider

from producer.clock import Clock
from producer.errors import KafkaFailed

MARGIN = 0.2
"""The last fifth of a token's life is not used: the broker's clock may be ahead, and a login takes time."""


class Bearer(Protocol):
    """A token, and for how many seconds from its making it serves; 0 if its server does not say."""

    @property
    def token(self) -> str:
        """What the broker is shown."""
        ...

    @property
    def seconds(self) -> float:
        """How long."""
        ...


Fetch = Callable[[], Awaitable[Bearer]]
"""Gets a new token; raises Unavailable or AccessDenied."""


class NoToken(kafka.KafkaConnectionError):  # type: ignore[misc]  # aiokafka ships no types
    """No token, so no connection: of a kind that aiokafka's clients survive and try again; the cause is ours."""


class Tokens(AbstractTokenProvider):  # type: ignore[misc]  # as above
    """The token of this instance, one for all its clients; fetched when it is needed and by one of them only."""

    def __init__(self, fetch: Fetch, *, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._bearer: Bearer | None = None
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """A token with at least a fifth of its life ahead; raises NoToken."""
        async with self._lock:
            if self._bearer is None or self._clock.now().boot >= self._until:
                self._bearer = await self._fetched()
            return self._bearer.token

    async def _fetched(self) -> Bearer:
        self._bearer, asked = None, self._clock.now().boot
        try:
            bearer = await self._fetch()
        except KafkaFailed as error:
            raise NoToken(str(error)) from error
        self._until = asked + bearer.seconds * (1 - MARGIN)
        return bearer
