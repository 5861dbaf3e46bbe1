"""The shards that this instance owns, kept in step with what the group assigns.

Whatever is kept goes on undisturbed; what is given up and what is taken happens beside it, and beside the rebalance.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from producer.core.heartbeat import Heartbeat
from producer.core.shard import Shard

HANDOVER = 2.0
"""Seconds that a shard given up may take to finish the transaction in hand."""

TURN = 10.0
"""Seconds without news after which the loop turns all the same, to be heard of."""


class Fleet:
    """Owned shards by number; `make` builds one."""

    def __init__(self, *, make: Callable[[int], Shard]) -> None:
        self._make = make
        self._wanted: frozenset[int] = frozenset()
        self._changed = asyncio.Event()
        self._closing = False
        self._tasks: dict[asyncio.Task[None], int] = {}
        self.heartbeat = Heartbeat()
        self.owned: dict[int, Shard] = {}
        self.assigned: frozenset[int] | None = None
        """All shards of the group's last word, empty ones too; None before the first."""

    def assign(self, shards: frozenset[int], *, loaded: frozenset[int]) -> None:
        """The group's word: from now on these are ours; those without sources, not `loaded`, cost nothing."""
        self.assigned = shards
        self._wanted = shards & loaded
        self._changed.set()

    async def run(self) -> None:
        """Follow the group's word until cancelled; raises what ends a shard for good."""
        while True:
            self.heartbeat.beat(next_within=TURN)
            changed = asyncio.create_task(self._changed.wait())
            try:
                done, _ = await asyncio.wait({changed, *self._tasks}, timeout=TURN, return_when=asyncio.FIRST_COMPLETED)
            finally:
                changed.cancel()
            for task in [task for task in self._tasks if task in done]:
                del self._tasks[task]
                if not task.cancelled():
                    task.result()
            self._changed.clear()
            await self._follow()

    async def close(self, *, within: float) -> int:
        """Give up every shard, in `within` seconds each; the rows that stayed in memory."""
        self._closing = True
        shards = list(self.owned.values())
        await asyncio.gather(*(shard.stop(within=within) for shard in shards))
        return sum(shard.pending for shard in shards)

    async def _follow(self) -> None:
        if self._closing:  # a rebalance in the last moment must not start anything
            for number in self.owned.keys() - self._wanted:
                self.owned[number].forgo()
            return
        given_up = [self.owned.pop(number) for number in self.owned.keys() - self._wanted]
        for number in sorted(self._wanted - self.owned.keys()):
            shard = self.owned[number] = self._make(number)
            self._tasks[shard.start()] = number
        await asyncio.gather(*(shard.stop(within=HANDOVER, last_try=False) for shard in given_up))


def by_shard(shards: Mapping[str, int]) -> dict[int, list[str]]:
    """Servers by their shard."""
    grouped: dict[int, list[str]] = {}
    for server, number in shards.items():
        grouped.setdefault(number, []).append(server)
    return grouped
