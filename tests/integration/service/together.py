"""Several stories at once, ended together."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def together(*stories: Coroutine[Any, Any, T]) -> list[T]:
    """Their results in order; when one fails the others are cancelled, where `asyncio.gather` would leave them."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(story) for story in stories]
    return [task.result() for task in tasks]
