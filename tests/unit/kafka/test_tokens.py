from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from producer.clock import Moment
from producer.errors import AccessDenied, KafkaFailed
from producer.kafka.access.client_credentials import Token
from producer.kafka.aiokafka_errors import failure
from producer.kafka.tokens import NoToken, Tokens

LIFE = 100.0


@dataclass
class Watch:
    """A clock that the test moves."""

    time: float = 0.0

    def now(self) -> Moment:
        return Moment(self.time, self.time)


@dataclass
class TokenServer:
    """Numbers its tokens; `failure` is raised instead of the next."""

    life: float = LIFE
    failure: KafkaFailed | None = None
    served: int = 0
    answering: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.answering.set()

    async def fetch(self) -> Token:
        await self.answering.wait()
        if self.failure is not None:
            raise self.failure
        self.served += 1
        return Token(f"token-{self.served}", self.life)


async def test_a_token_is_used_again_until_a_fifth_of_its_life_is_left() -> None:
    server, watch = TokenServer(), Watch()
    tokens = Tokens(server.fetch, clock=watch)
    assert await tokens.token() == "token-1"
    watch.time = LIFE * 0.8 - 0.1
    assert await tokens.token() == "token-1"
    watch.time = LIFE * 0.8
    assert await tokens.token() == "token-2"


async def test_a_token_of_unknown_life_is_used_once() -> None:
    tokens = Tokens(TokenServer(life=0).fetch, clock=Watch())
    assert [await tokens.token(), await tokens.token()] == ["token-1", "token-2"]


async def test_clients_that_connect_at_once_share_one_request() -> None:
    server = TokenServer()
    server.answering.clear()
    tokens = Tokens(server.fetch, clock=Watch())
    asking = [asyncio.create_task(tokens.token()) for _ in range(5)]
    await asyncio.sleep(0)  # all have asked
    server.answering.set()
    assert set(await asyncio.gather(*asking)) == {"token-1"}


async def test_a_refusal_passes_through_the_library_as_what_it_is() -> None:
    refusal = AccessDenied("KAFKA_SASL_OAUTH_CLIENT_SECRET is wrong")
    tokens = Tokens(TokenServer(failure=refusal).fetch, clock=Watch())
    with pytest.raises(NoToken) as caught:
        await tokens.token()
    assert failure(caught.value, "connecting") is refusal


async def test_after_a_refusal_the_next_connection_asks_again() -> None:
    server = TokenServer(failure=AccessDenied("no"))
    tokens = Tokens(server.fetch, clock=Watch())
    with pytest.raises(NoToken):
        await tokens.token()
    server.failure = None
    assert await tokens.token() == "token-1"
