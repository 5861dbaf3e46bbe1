"""A reading shared by those who ask at the same time, and never older than the question."""

from __future__ import annotations

import asyncio

import pytest

from producer.kafka.fresh import Fresh


class Source:
    """Counts its readings; each waits until the test lets it end."""

    def __init__(self) -> None:
        self.readings = 0
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()

    async def read(self) -> int:
        self.readings += 1
        number = self.readings
        self.began.set()
        await self.may_end.wait()
        return number


async def test_those_who_ask_during_a_reading_share_the_next_one() -> None:
    source = Source()
    fresh = Fresh(source.read)
    first = asyncio.create_task(fresh.get())
    await source.began.wait()
    later = [asyncio.create_task(fresh.get()) for _ in range(10)]
    source.may_end.set()
    assert await first == 1
    assert await asyncio.gather(*later) == [2] * 10
    assert source.readings == 2


async def test_whoever_asks_after_a_reading_gets_a_new_one() -> None:
    source = Source()
    source.may_end.set()
    fresh = Fresh(source.read)
    assert [await fresh.get(), await fresh.get()] == [1, 2]


async def test_a_reading_that_fails_is_tried_again_by_the_next_who_asks() -> None:
    divisors = iter([0, 1])

    async def read() -> int:
        return 7 // next(divisors)

    fresh = Fresh(read)
    with pytest.raises(ZeroDivisionError):
        await fresh.get()
    assert await fresh.get() == 7
