"""Calls of the API for somebody who waits: told one by one, and made again where the API says "not now"."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from producer.errors import Retry, SlowDown
from producer.wolkvox.client import WolkvoxApi
from producer.wolkvox.envelope import Answer
from producer.wolkvox.masking import Shown

Read = TypeVar("Read")

TRIES = 6
FIRST_WAIT = 2.0
"""Seconds; each further wait is twice as long. The service may be polling with the same token just now."""
LONGEST_WAIT = 120.0
"""Seconds that the API may ask to wait; who must wait longer asks again himself."""


class PatientCalls:
    """The calls of one command; `say` is told of each, `pause` is asyncio.sleep but in tests."""

    def __init__(
        self,
        api: WolkvoxApi,
        *,
        say: Callable[[str], object],
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._api = api
        self._say = say
        self._pause = pause
        self.made = 0

    async def call(self, path: str, read: Callable[[Answer, Shown], Read]) -> tuple[Answer, Read]:
        """One call; raises the PollFailed of the last try."""
        wait = FIRST_WAIT
        for left in reversed(range(TRIES)):
            self.made += 1
            self._say(f"call {self.made} of the API: {_report(path)}")
            try:
                return await self._api.call(path, read)
            except (Retry, SlowDown) as error:
                asked = max(wait, error.after or 0.0)
                if not left or asked > LONGEST_WAIT:
                    raise
                self._say(f"{error}: again in {asked:g} s")
            await self._pause(asked)
            wait *= 2
        raise AssertionError("the last try returns or raises")


def _report(path: str) -> str:
    return path.partition("api=")[2].replace("&date_ini=", ", ").replace("&date_end=", " to ")
