"""A large ledger: whoever waits for it is told how far its reading is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from producer.model import Progress, SourceFold
from tests.twins.memory_store import MemoryShardStore
from tests.twins.virtual_time import virtual_time
from tests.unit.core.rig import Rig, elapse
from tests.unit.core.samples import SHARD

RATE = 250_000
"""Ids a second."""


class Large(MemoryShardStore):
    """Whose reading takes four seconds, or stops for ever at `until`; it moves between two whole seconds."""

    ids = 4 * RATE
    until = ids

    async def take(self) -> Mapping[str, SourceFold]:
        folds = await super().take()
        await asyncio.sleep(0.5)
        for ids in range(RATE, self.until + 1, RATE):
            self.progress = Progress(ids, ids / self.ids)
            await asyncio.sleep(1)
        if self.until < self.ids:
            await asyncio.Event().wait()
        self.progress = None
        return folds


@virtual_time
async def test_every_second_of_a_long_restore_is_told_with_ids_and_share() -> None:
    rig = Rig()
    shard = rig.shard(store=Large(rig.kafka, number=SHARD))
    shard.start()
    await elapse(10)
    told = [(progress.ids, progress.share, seconds) for progress, seconds in rig.observer.progress]
    assert told == [(RATE, 0.25, 1), (2 * RATE, 0.5, 2), (3 * RATE, 0.75, 3), (4 * RATE, 1.0, 4)]
    assert rig.observer.journal[3:6] == ["restoring", "restored", "polled"]
    await shard.stop(within=1)


@virtual_time
async def test_a_restore_of_less_than_a_second_is_told_only_when_it_is_done() -> None:
    rig = Rig()
    store = Large(rig.kafka, number=SHARD)
    store.ids = store.until = 0
    shard = rig.shard(store=store)
    shard.start()
    await elapse(10)
    assert rig.observer.journal[0] == "restored"
    await shard.stop(within=1)


@virtual_time
async def test_a_restore_that_stands_still_is_not_told_again_and_again() -> None:
    rig = Rig()
    store = Large(rig.kafka, number=SHARD)
    store.until = RATE
    shard = rig.shard(store=store)
    shard.start()
    await elapse(60)
    assert rig.observer.journal == ["restoring"]
    await shard.stop(within=1)
