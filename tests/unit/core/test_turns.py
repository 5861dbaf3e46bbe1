"""One call at a time for each token."""

from __future__ import annotations

import asyncio

import pytest

from producer.core.turns import Turns
from tests.twins.virtual_time import virtual_time


def failing() -> str:
    raise FileNotFoundError


class Log:
    """Who is inside, and how many at once."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.inside = 0
        self.most = 0

    async def call(self, token: str | None, *, seconds: float = 1.0) -> None:
        async with self.turns.turn(failing if token is None else lambda: token):
            self.inside += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(seconds)
            self.inside -= 1


@virtual_time
async def test_calls_under_one_token_go_one_after_the_other() -> None:
    log = Log()
    await asyncio.gather(*(log.call("one") for _ in range(5)))
    assert log.most == 1
    assert asyncio.get_running_loop().time() == 5.0


@virtual_time
async def test_tokens_do_not_wait_for_each_other() -> None:
    log = Log()
    await asyncio.gather(*(log.call(f"token {number}") for number in range(5)))
    assert log.most == 5


@virtual_time
async def test_a_token_that_cannot_be_read_waits_for_nobody() -> None:
    log = Log()
    await asyncio.gather(*(log.call(None) for _ in range(3)))
    assert log.most == 3


@virtual_time
async def test_a_failed_call_gives_the_turn_on() -> None:
    log = Log()

    async def fail() -> None:
        async with log.turns.turn(lambda: "one"):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await log.call("one")


@virtual_time
async def test_one_that_gives_up_waiting_holds_up_nobody() -> None:
    log = Log()
    first = asyncio.create_task(log.call("one"))
    await asyncio.sleep(0)
    second, third = asyncio.create_task(log.call("one")), asyncio.create_task(log.call("one"))
    await asyncio.sleep(0.5)
    second.cancel()
    await asyncio.gather(first, second, third, return_exceptions=True)
    assert (log.most, asyncio.get_running_loop().time()) == (1, 2.0)


@virtual_time
async def test_nothing_of_a_token_stays_behind() -> None:
    log = Log()
    await asyncio.gather(*(log.call("secret", seconds=0) for _ in range(3)), log.call(None))
    assert log.turns._locks == {}
