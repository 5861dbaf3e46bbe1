"""How far the reading of a ledger is, told while it goes on: a million ids take seconds, and no poll comes before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from producer.core.ports import ShardStore
from producer.model import Progress

EVERY = 1.0
"""Seconds between two lines; the million ids that are to take 5 s at most get a few of them."""


async def tell_progress(store: ShardStore, tell: Callable[[Progress, float], None]) -> None:
    """Tell what `store.progress` is and after how many seconds, whenever it has moved; until cancelled.

    A reading that stands still is told once: the failure that ends it says why.
    """
    loop = asyncio.get_running_loop()
    began, told = loop.time(), None
    while True:
        await asyncio.sleep(EVERY)
        progress = store.progress
        if progress is not None and progress != told:
            told = progress
            tell(progress, loop.time() - began)
