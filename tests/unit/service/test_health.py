"""What /healthz says: 200 while the loops turn, whatever Kafka and the API do; 503 once one of them stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import httpx
from aiokafka import TopicPartition

from producer.core.fleet import Fleet
from producer.core.heartbeat import GRACE, Heartbeat
from producer.core.shard import Shard
from producer.errors import QuotaSpent, Retry, Unavailable
from producer.kafka.connection import Connection
from producer.kafka.membership import Membership
from producer.kafka.rotation import Rotation
from producer.observe.live import Live
from producer.observe.metrics import Metrics
from producer.observe.observer import ServiceObserver
from producer.observe.routes import application
from producer.service.overview import Overview
from producer.settings import Kafka
from tests.twins.virtual_time import virtual_time
from tests.unit.core.rig import INTERVAL, TIMEOUT, Rig, elapse
from tests.unit.core.samples import SERVER, SHARD, a_row

LONG = 1200.0
"""Seconds after which whoever stands still must have been noticed."""


class Consumer:
    """aiokafka's, as far as a member asks it: it is assigned its shard at once; `silent` gives no answer any more."""

    def __init__(self) -> None:
        self.silent = False
        self.refuses = False
        self._client = SimpleNamespace(_conns={}, _on_connection_closed=None)

    def subscribe(self, topics: list[str], *, listener: Any) -> None:
        self._topic, self._listener = topics[0], listener

    async def start(self) -> None:
        if self.refuses:
            raise Unavailable("joining: no answer")
        self._listener.on_partitions_assigned([TopicPartition(self._topic, SHARD)])

    def pause(self, *partitions: Any) -> None:
        """There is nothing to read anyway."""

    async def getmany(self, *, timeout_ms: int) -> None:
        await (asyncio.Event().wait() if self.silent else asyncio.sleep(timeout_ms / 1000))

    async def committed(self, where: TopicPartition) -> None:
        """None yet."""

    async def stop(self) -> None:
        """Nothing is open."""


class Member(Membership):
    """With a consumer that reaches for no broker; it stands still while it `clings` to its place."""

    clings = False

    def __init__(self, consumer: Consumer, **options: Any) -> None:
        super().__init__(**options)
        self._made = consumer

    def _new_consumer(self) -> Any:
        return self._made

    async def _rest(self, rotation: Rotation) -> None:
        if self.clings:
            await asyncio.Event().wait()
        await super()._rest(rotation)


class Clinging(Shard):
    """Can't be let go while it `clings`."""

    clings = False

    async def stop(self, *, within: float, last_try: bool = True) -> None:
        while self.clings:
            await elapse(1)
        await super().stop(within=within, last_try=last_try)


class Running:
    """An instance without its lifecycle: a member, a fleet, a shard, and who asks for its health."""

    def __init__(self) -> None:
        self.rig = Rig()
        self.shards: list[Clinging] = []
        self.fleet = Fleet(make=self._make)
        self.consumer = Consumer()
        self.heartbeat = Heartbeat()
        self.member = Member(
            self.consumer,
            connection=Connection(Kafka(), client_id="test"),
            topic="wolkvox.hits.ledger",
            loaded={SHARD},
            on_assigned=lambda shards: self.fleet.assign(shards, loaded=frozenset({SHARD})),
            on_failure=lambda *_: None,
            rng=self.rig.rng,
            heartbeat=self.heartbeat,
        )
        self.tasks = [asyncio.create_task(self.member.run()), asyncio.create_task(self.fleet.run())]
        metrics = Metrics()
        overview = Overview(
            cast("Any", SimpleNamespace(sources=[SimpleNamespace(server=SERVER, interval=INTERVAL, timeout=TIMEOUT)])),
            instance="a",
            wiring=cast("Any", SimpleNamespace(all_rounds={SERVER: self.rig.all_rounds[0]}, sources=self.rig.sources)),
            cluster=cast("Any", SimpleNamespace(shards={SERVER: SHARD}, heartbeat=self.heartbeat)),
            fleet=self.fleet,
            observer=ServiceObserver(metrics=metrics, clock=self.rig.clock),
            clock=self.rig.clock,
        )
        live = Live(render=lambda: b"", pause=lambda: elapse(1))
        self._app = application(status=overview.status, metrics=metrics, live=live)

    def _make(self, number: int) -> Shard:
        shard = self.rig.shard(number=number, kind=Clinging)
        assert isinstance(shard, Clinging)
        self.shards.append(shard)
        return shard

    async def health(self) -> tuple[int, list[str]]:
        """What /healthz answers: status and reasons."""
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            answer = await client.get("/healthz")
            return answer.status_code, answer.json()["reasons"]


@asynccontextmanager
async def running() -> AsyncIterator[Running]:
    one = Running()
    one.rig.api.standing = [a_row("a")]
    await elapse(1)
    try:
        yield one
    finally:
        await one.fleet.close(within=1)
        for task in one.tasks:
            task.cancel()
        await asyncio.wait(one.tasks)


@virtual_time
async def test_an_instance_that_polls_is_alive_for_hours() -> None:
    async with running() as one:
        for _ in range(5 * 60):
            assert await one.health() == (200, [])
            await elapse(61.7)


@virtual_time
async def test_whatever_the_api_and_kafka_do_the_loops_turn() -> None:
    troubles: list[Callable[[Running], None]] = [
        lambda one: setattr(one.rig.api, "standing", Retry("503")),
        lambda one: setattr(one.rig.api, "standing", QuotaSpent("tomorrow")),
        lambda one: setattr(one.rig.store, "down", True),
        lambda one: setattr(one.consumer, "refuses", True),
    ]
    for trouble in troubles:
        async with running() as one:
            trouble(one)
            for _ in range(60):
                assert await one.health() == (200, [])
                await elapse(61.7)


@virtual_time
async def test_a_source_whose_poll_never_ends_is_seen() -> None:
    async with running() as one:
        one.rig.api.answers([], seconds=1e9)  # a client that forgot its time-out
        await elapse(INTERVAL + TIMEOUT + GRACE)
        assert await one.health() == (200, [])
        await elapse(LONG)
        status, (reason,) = await one.health()
        assert (status, reason.partition(",")[0]) == (503, "the polling of 0042 stands still")


@virtual_time
async def test_a_source_that_nobody_polls_any_more_is_seen() -> None:
    async with running() as one:
        (poll,) = one.shards[0]._polls
        poll.cancel()
        await elapse(LONG)
        status, (reason,) = await one.health()
        assert (status, reason.partition(",")[0]) == (503, "the polling of 0042 stands still")


@virtual_time
async def test_a_source_that_is_given_up_is_not_missed() -> None:
    async with running() as one:
        one.fleet.assign(frozenset(), loaded=frozenset({SHARD}))
        await elapse(LONG)
        assert await one.health() == (200, [])


@virtual_time
async def test_a_fleet_that_follows_nobody_is_seen() -> None:
    async with running() as one:
        one.shards[0].clings = True
        one.fleet.assign(frozenset(), loaded=frozenset({SHARD}))
        await elapse(LONG)
        status, (reason,) = await one.health()
        assert (status, reason.partition(",")[0]) == (503, "who follows the group's word stands still")
        one.shards[0].clings = False
        await elapse(5)
        assert await one.health() == (200, [])


@virtual_time
async def test_a_member_that_is_not_answered_any_more_goes_on_by_itself() -> None:
    """In a rebalance that never ends; nothing is won by starting the process again."""
    async with running() as one:
        one.consumer.silent = True
        await elapse(LONG)
        assert await one.health() == (200, [])
        assert not one.tasks[0].done()


@virtual_time
async def test_a_member_that_asks_the_group_no_more_is_seen() -> None:
    async with running() as one:
        one.member.clings = True
        await elapse(LONG)
        status, (reason,) = await one.health()
        assert (status, reason.partition(",")[0]) == (503, "the group's member stands still")
