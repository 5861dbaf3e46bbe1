from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from producer.observe.live import Live, TooManyReaders


class Ticks:
    """A pause that ends when the test says so."""

    def __init__(self) -> None:
        self._asked: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()

    async def pause(self) -> None:
        over = asyncio.get_running_loop().create_future()
        self._asked.put_nowait(over)
        await over

    async def tick(self) -> None:
        """One pause ends; returns when what follows it is drawn and the next has begun."""
        over = await self._asked.get()
        over.set_result(None)
        self._asked.put_nowait(await self._asked.get())


class Pages:
    """A renderer that counts, and fails on demand."""

    def __init__(self) -> None:
        self.drawn = 0
        self.broken = False

    def render(self) -> bytes:
        self.drawn += 1
        if self.broken:
            raise ValueError("573001112233")
        return f"page {self.drawn}".encode()


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def pages() -> Pages:
    return Pages()


async def test_a_reader_gets_the_first_frame_at_once(ticks: Ticks, pages: Pages) -> None:
    live = Live(render=pages.render, pause=ticks.pause)
    with live.reader() as frames:
        assert await anext(frames) == b"data: page 1\n\n"


async def test_a_hundred_readers_share_one_drawing_a_tick(ticks: Ticks, pages: Pages) -> None:
    live = Live(render=pages.render, pause=ticks.pause)
    seen: list[bytes] = []

    async def read() -> None:
        with live.reader() as frames:
            seen.extend([await anext(frames), await anext(frames)])

    readers = [asyncio.create_task(read()) for _ in range(100)]
    await ticks.tick()
    await asyncio.gather(*readers)
    assert pages.drawn == 2
    assert seen.count(b"data: page 2\n\n") == 100


async def test_a_slow_reader_gets_the_newest_frame_and_no_queue(ticks: Ticks, pages: Pages) -> None:
    live = Live(render=pages.render, pause=ticks.pause)
    with live.reader() as frames:
        await anext(frames)
        for _ in range(5):
            await ticks.tick()
        assert await anext(frames) == b"data: page 6\n\n"
        further = asyncio.ensure_future(anext(frames))
        await ticks.tick()
        assert await further == b"data: page 7\n\n"


async def test_one_reader_too_many_is_refused_and_one_that_left_makes_room(ticks: Ticks, pages: Pages) -> None:
    live = Live(render=pages.render, pause=ticks.pause, limit=1)
    with live.reader(), pytest.raises(TooManyReaders), live.reader():
        pass
    with live.reader() as frames:
        assert await anext(frames)


async def test_nothing_is_drawn_while_nobody_reads(ticks: Ticks, pages: Pages) -> None:
    live = Live(render=pages.render, pause=ticks.pause)
    with live.reader():
        await ticks.tick()
    drawn = pages.drawn
    await asyncio.sleep(0)
    assert (live.readers, pages.drawn) == (0, drawn)
    with live.reader() as frames:
        assert await anext(frames) == f"data: page {drawn + 1}\n\n".encode()


async def test_a_page_that_cannot_be_drawn_does_not_end_the_next(ticks: Ticks, pages: Pages) -> None:
    live = Live(render=pages.render, pause=ticks.pause)
    with live.reader() as frames:
        await anext(frames)
        pages.broken = True
        await ticks.tick()
        pages.broken = False
        await ticks.tick()
        assert await anext(frames) == b"data: page 3\n\n"


async def test_closing_ends_every_readers_frames(ticks: Ticks, pages: Pages) -> None:
    live = Live(render=pages.render, pause=ticks.pause)

    async def drained(frames: AsyncIterator[bytes]) -> int:
        return len([frame async for frame in frames])

    with live.reader() as frames:
        reading = asyncio.create_task(drained(frames))
        await asyncio.sleep(0)
        live.close()
        assert await reading == 1
