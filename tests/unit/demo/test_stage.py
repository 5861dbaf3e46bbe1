"""A broker's start that is given up ends without a word, however late."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from producer.demo.broker import BrokerUnavailable
from producer.demo.broker.jars import OnProgress
from producer.demo.show import stage


class Slow:
    """A broker whose start fails only when it is told to."""

    fail = threading.Event()
    failed = threading.Event()

    def __init__(self, *, on_progress: OnProgress) -> None:
        """Fetches nothing."""

    def start(self) -> None:
        self.fail.wait(10)
        self.failed.set()
        raise BrokerUnavailable("its process is gone")

    def close(self) -> None:
        """Nothing is there yet."""


async def test_a_start_that_fails_after_it_was_given_up_is_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[Mapping[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
    monkeypatch.setattr(stage, "GRACE", 0.01)

    async def use() -> None:
        async with stage.running_kafka(Slow, on_progress=lambda _: None):
            raise AssertionError("it never starts")

    using = asyncio.create_task(use())
    await asyncio.sleep(0.05)
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    Slow.fail.set()
    await asyncio.to_thread(Slow.failed.wait, 10)
    await asyncio.sleep(0.05)
    del using
    gc.collect()
    assert not reported
