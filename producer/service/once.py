"""`run --once`: one poll of each source, committed, then the end; for cron, or for a first look."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from producer.clock import SystemClock
from producer.errors import KafkaFailed, Unavailable
from producer.kafka.connection import instance_name
from producer.observe.metrics import Metrics
from producer.observe.observer import ServiceObserver
from producer.service.cluster import Cluster, tell_away
from producer.service.wiring import Wiring
from producer.settings import Settings

JOIN_BOUND = 90.0
"""Seconds to reach Kafka and to be given shards: a member that died is waited for until its session ends."""
COMMIT_BOUND = 60.0
"""Seconds for a shard beyond its polls: to be taken, restored and committed."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one source's poll went, in words; `ok` if it was polled and committed, or is a live member's."""

    server: str
    ok: bool
    text: str


class Once:
    """One instance that polls once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        rng, clock = Random(), SystemClock()  # noqa: S311 (jitter, no secret)
        self._observer = ServiceObserver(metrics=Metrics(), clock=clock)
        self._wiring = Wiring(settings, clock=clock, rng=rng, observer=self._observer)
        self._failure: KafkaFailed | None = None
        self._cluster = Cluster(
            settings,
            instance=instance_name(),
            wiring=self._wiring,
            rng=rng,
            on_failure=self._failed,
        )

    async def run(self) -> list[Result]:
        """Poll; how it went for each source. Raises KafkaFailed if nothing could begin."""
        try:
            await self._connect()
            return await self._as_guest()
        finally:
            await self._wiring.close()

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(JOIN_BOUND):
                await self._cluster.connect()
        except TimeoutError:
            raise self._reason() from None

    async def _as_guest(self) -> list[Result]:
        assigned: asyncio.Future[frozenset[int]] = asyncio.get_running_loop().create_future()
        member = self._cluster.membership(
            on_assigned=lambda shards: None if assigned.done() else assigned.set_result(shards), guest=True
        )
        staying = asyncio.create_task(member.run())
        try:
            ways: set[asyncio.Future[Any]] = {staying, assigned}
            await asyncio.wait(ways, timeout=JOIN_BOUND, return_when=asyncio.FIRST_COMPLETED)
            if staying.done():
                staying.result()
            if not assigned.done():
                raise self._reason()
            return list(await self._poll(assigned.result() & self._cluster.loaded))
        finally:
            staying.cancel()
            await asyncio.wait({staying})

    async def _poll(self, shards: frozenset[int]) -> Iterator[Result]:
        within = COMMIT_BOUND + max(source.timeout for source in self._settings.sources)
        owned = {number: self._cluster.shard(number) for number in shards}
        ended = await asyncio.gather(*(shard.once(within=within) for shard in owned.values()))
        committed = dict(zip(owned, ended, strict=True))
        return (self._result(server, committed.get(number)) for server, number in self._cluster.shards.items())

    def _result(self, server: str, committed: bool | None) -> Result:  # noqa: FBT001 (None: not ours)
        rounds, numbers = self._wiring.all_rounds[server], self._observer.numbers(server)
        if committed is None:
            return Result(server, ok=True, text="held by another member of the group, which polls it")
        if rounds.state.failure is not None:
            return Result(server, ok=False, text=f"not polled: {rounds.state.failure}")
        if not committed or rounds.state.succeeded is None:
            return Result(server, ok=False, text="not committed: Kafka did not answer in time")
        counts = f"{numbers.published} published, {numbers.duplicate} duplicate, {numbers.dead_lettered} dead-lettered"
        for count, what in ((numbers.changed, "changed"), (numbers.unmarked, "unmarked")):
            counts += f", {count} {what}" if count else ""
        return Result(server, ok=True, text=counts)

    def _failed(self, error: KafkaFailed, wait: float) -> None:
        self._failure = error
        tell_away(error, wait)

    def _reason(self) -> KafkaFailed:
        return self._failure or Unavailable("Kafka did not answer in time")
