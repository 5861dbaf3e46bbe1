"""Waiting for Kafka, never without a bound.

With the cluster down, aiokafka's abort and stop() hang (aiokafka #1101), and on Python 3.11 `asyncio.wait_for` waits
for the task that it cancels. So: wait with a time-out, and leave behind what does not end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from producer.errors import Unavailable

T = TypeVar("T")

_left_behind: set[asyncio.Task[Any]] = set()


async def bounded(coroutine: Coroutine[Any, Any, T], *, seconds: float, what: str) -> T:
    """The coroutine's result; raises Unavailable after `seconds`, and then cancels it without waiting for its end."""
    task = asyncio.create_task(coroutine)
    try:
        await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        leave_behind(task)
        raise
    if not task.done():
        leave_behind(task)
        raise Unavailable(f"{what}: no answer within {seconds:g} s")
    return task.result()


def leave_behind(task: asyncio.Task[Any]) -> None:
    """Cancel a task and let it end when it will; its result and its error interest nobody."""
    task.cancel()
    _left_behind.add(task)
    task.add_done_callback(_forget)


def retrieve(future: asyncio.Future[Any]) -> None:
    """Look at a future's error, so that asyncio does not report it as overlooked."""
    if not future.cancelled():
        future.exception()


def _forget(task: asyncio.Task[Any]) -> None:
    retrieve(task)
    _left_behind.discard(task)
