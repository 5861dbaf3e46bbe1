"""This instance's membership in the consumer group on the ledger topic: the group's word on who owns which shard.

The consumer reads nothing; its partitions are paused. The group gives liveness, the fencing of the transactional id
gives safety: an instance that only believes it owns a shard can at worst fence the true owner, who takes it back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection
from random import Random
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition

from producer.core.heartbeat import Heartbeat
from producer.errors import AccessDenied, KafkaFailed, Replaced, Untrusted
from producer.kafka.access.group import refuse_replaced
from producer.kafka.access.inquiry import Inquiry
from producer.kafka.access.probe import EXPLANATION_BOUND, explained
from producer.kafka.aiokafka_errors import named
from producer.kafka.assignor import StickyShards
from producer.kafka.bounds import bounded, retrieve
from producer.kafka.clients import close, start
from producer.kafka.connection import Connection
from producer.kafka.rotation import Rotation

FAREWELL = 2.0
"""Seconds to leave the group, so that nobody waits for our session to end."""
LONGEST_WAIT = 10.0
LONGEST_HEARTBEAT = 1.0
"""Seconds. A member hears of a rebalance with its next heartbeat, and so long a shard that was let go has no owner.

With 2.5 s, a quarter of the default session, the heir's first poll came 2.0 s after SIGTERM, with this 1.0 s.
"""
SETTLE_BOUND = 30.0
"""Seconds to wait for a rebalance to end before a fenced owner tries again all the same."""


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Joins, stays, and says what the group assigned: `on_assigned` is called with all shards that are ours."""

    def __init__(
        self,
        *,
        connection: Connection,
        topic: str,
        loaded: Collection[int],
        on_assigned: Callable[[frozenset[int]], None],
        on_failure: Callable[[KafkaFailed, float], None],
        rng: Random,
        heartbeat: Heartbeat,
        guest: bool = False,
        farewell: float = FAREWELL,
        join_bound: float | None = None,
    ) -> None:
        self._connection = connection
        self._topic = topic
        self._assignor = StickyShards(loaded=loaded, guest=guest)
        self._on_assigned = on_assigned
        self._on_failure = on_failure
        self._rng = rng
        self._alive = heartbeat
        # A guest is another instance than the one whose environment it was given: it would take its shards.
        self._instance_id = None if guest else connection.settings.group_instance_id
        self._member_id: str | None = None
        """As a static member, what the group called us when it last assigned us shards."""
        self._farewell = farewell
        self._join_bound = join_bound or 30.0 + 3 * connection.settings.session_timeout
        """Seconds for an assignment to come, at first and in each rebalance."""
        self._settled = asyncio.Event()
        self._consumer: Any = None
        self._ended: asyncio.Future[None]
        self._joined = False
        """Whether it ever was a member."""
        self._staying = False
        """Whether it was one since it last failed."""

    @property
    def _heartbeat(self) -> float:
        return min(LONGEST_HEARTBEAT, self._connection.settings.session_timeout / 4)

    async def run(self) -> None:
        """Be a member until cancelled, then leave; raises AccessDenied or Untrusted before the first assignment.

        When other credentials were given to us and are accepted, leave and join with them. Raises Replaced if another
        instance joins under our instance id: to join again would throw it out, and it us, for ever.
        """
        failures = 0
        while True:
            self._beat()
            try:
                await self._stay()
            except Replaced:
                raise
            except KafkaFailed as failed:
                error = await explained(failed, self._connection)
                if isinstance(error, AccessDenied | Untrusted) and not self._joined:
                    raise error from None
                failures = 1 if self._staying else failures + 1
                self._staying = False
                wait = self._rng.uniform(0.1, min(LONGEST_WAIT, 2.0 ** min(failures, 5)))
                self._on_failure(error, wait)
                await asyncio.sleep(wait)

    async def settled(self) -> None:
        """Return once the group's word is fresh: a heartbeat later, and not in the middle of a rebalance.

        A paused process (SIGSTOP) still believes in its old assignment; its next heartbeat tells it otherwise.
        """
        await asyncio.sleep(self._heartbeat * 1.5)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_BOUND):
                await self._settled.wait()

    async def on_partitions_revoked(self, revoked: Collection[Any]) -> None:  # noqa: ARG002 (aiokafka's signature)
        """A rebalance begins. Nothing changes hands before the next assignment says so.

        If the group knows us no more, a static member first asks who has its place.
        """
        self._settled.clear()
        if self._member_id is not None and self._member_id != self._group_knows():
            try:
                await self._refuse_replaced()
            except Replaced as replaced:
                self._ended.set_exception(replaced)
                await asyncio.Event().wait()  # when this returns, aiokafka joins
            except KafkaFailed:
                pass  # it needs the coordinator to join, too

    def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
        """The group's new word. Only notes it: aiokafka sends no heartbeat until this returns."""
        self._consumer.pause(*assigned)
        shards = frozenset(where.partition for where in assigned)
        self._assignor.held = shards
        self._joined = self._staying = True
        self._member_id = self._group_knows() if self._instance_id is not None else None
        self._settled.set()
        self._on_assigned(shards)

    async def _stay(self) -> None:
        with named(f"joining the group {self._connection.settings.group_id}"):
            await self._refuse_replaced()
            rotation = Rotation(self._connection)
            self._ended = asyncio.get_running_loop().create_future()
            self._ended.add_done_callback(retrieve)
            self._consumer = self._new_consumer()
            self._consumer.subscribe([self._topic], listener=self)
            try:
                await start(self._consumer, seconds=self._join_bound, what="joining the group")
                while not await rotation.due():
                    await self._rest(rotation)
            finally:
                self._settled.clear()
                # A static member does not leave: its place is kept for its next start.
                await close(self._consumer, farewell=self._farewell if self._instance_id is None else 0.0)

    async def _rest(self, rotation: Rotation) -> None:
        """Half a session, and then the question whether the coordinator still hears us.

        aiokafka looks for a lost coordinator for ever and in silence, with a password that was replaced too.
        """
        session = self._connection.settings.session_timeout
        until = asyncio.get_running_loop().time() + session / 2
        while asyncio.get_running_loop().time() < until:
            self._beat()
            # A member that holds an assignment must go on asking, although all is paused; it is not answered in a
            # rebalance, which may never end.
            asking = rotation.during(self._consumer.getmany(timeout_ms=1000), unless=self._ended)
            await bounded(asking, seconds=self._join_bound, what="waiting for the group's next assignment")
        asking = self._consumer.committed(TopicPartition(self._topic, 0))
        await bounded(rotation.during(asking), seconds=1.5 * session, what="asking the group's coordinator")

    def _group_knows(self) -> str:
        """The id by which the group knows us; empty if it knows us no more."""
        known: str = self._consumer._coordinator.member_id  # noqa: SLF001 (aiokafka tells nobody)
        return known

    async def _refuse_replaced(self) -> None:
        """Raise Replaced if our instance id is another's by now."""
        if self._member_id is not None:
            async with Inquiry(self._connection) as cluster:
                await refuse_replaced(cluster, self._member_id)

    def _beat(self) -> None:
        # The longest way to the next: no assignment, no coordinator, leaving, asking why, and the wait.
        asking = 1.5 * self._connection.settings.session_timeout
        longest = self._join_bound + asking + self._farewell + EXPLANATION_BOUND + LONGEST_WAIT
        self._alive.beat(next_within=longest)

    def _new_consumer(self) -> Any:
        settings = self._connection.settings
        session = int(settings.session_timeout * 1000)
        return AIOKafkaConsumer(
            **self._connection.options(),
            group_id=settings.group_id,
            group_instance_id=self._instance_id,
            session_timeout_ms=session,
            heartbeat_interval_ms=int(self._heartbeat * 1000),
            # A dead member delays a rebalance by this long; nobody here needs time to finish anything first.
            rebalance_timeout_ms=session,
            max_poll_interval_ms=max(300_000, 2 * session),
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
