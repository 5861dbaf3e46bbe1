"""How a shard is taken: its ledger read, told while a large one is, and its sources become what the ledger says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from time import perf_counter

from producer.clock import Clock
from producer.core.ports import Observer, ShardStore
from producer.core.source import Source
from producer.errors import Untrusted
from producer.model import SourceFold

EVERY = 1.0
"""Seconds between two lines of progress: a million ids take a few seconds, and no poll comes before."""


class Takeover:
    """Takes shard `number` for its sources, as often as it must."""

    def __init__(
        self, *, number: int, sources: Sequence[Source], store: ShardStore, clock: Clock, observer: Observer
    ) -> None:
        self._number = number
        self._sources = sources
        self._store = store
        self._clock = clock
        self._observer = observer

    async def take(self) -> None:
        """Take the shard and restore its sources; raises a KafkaFailed."""
        began = perf_counter()
        folds = await self._folds()
        self._refuse_lost([one.server for one in self._sources if one.misses(folds.get(one.server, SourceFold()))])
        now = self._clock.now()
        for source in self._sources:
            if not source.restore(folds.get(source.server, SourceFold()), now):
                self._observer.cursor_ahead(source.server)
        known = {source.server for source in self._sources}
        self._observer.unknown_sources(self._number, sorted(folds.keys() - known))
        ids = sum(len(source.hits) + len(source.dead) for source in self._sources)
        self._observer.restored(self._number, sorted(known), ids=ids, seconds=perf_counter() - began)

    async def _folds(self) -> Mapping[str, SourceFold]:
        telling = asyncio.create_task(self._tell_progress())
        try:
            return await self._store.take()
        finally:
            telling.cancel()

    async def _tell_progress(self) -> None:
        """Whenever it has moved: a reading that stands still is told once, the failure that ends it says why."""
        clock = asyncio.get_running_loop().time
        began, told = clock(), None
        while True:
            await asyncio.sleep(EVERY)
            progress = self._store.progress
            if progress is not None and progress != told:
                told = progress
                self._observer.restoring(self._number, progress, seconds=clock() - began)

    def _refuse_lost(self, servers: Sequence[str]) -> None:
        if servers:
            raise Untrusted(
                f"the ledger lacks the cursor of server {', '.join(servers)}, which it had in this process's time: it "
                "was deleted and made again, or the source was reset while this instance ran. Nothing more is told on "
                "it; the next start says what it costs to go on"
            )
