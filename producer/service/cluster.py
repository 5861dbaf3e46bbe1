"""What an instance has of Kafka: the topics and the registry's schemas for them, the shards its sources belong to, its
membership in the group.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random

from producer.core.fleet import by_shard
from producer.core.heartbeat import Heartbeat
from producer.core.ledger import shard_of
from producer.core.shard import Shard
from producer.errors import AccessDenied, Discard, KafkaFailed, NoRegistry, Unavailable
from producer.frame import SchemaFrames, frame
from producer.kafka.census import Census
from producer.kafka.connection import Connection
from producer.kafka.membership import Membership
from producer.kafka.topics import TopicSetup
from producer.model import Topic
from producer.observe.logs import get_logger
from producer.registry.client import registry_of
from producer.service.wiring import Wiring
from producer.settings import Settings

_log = get_logger(__name__)

LONGEST_WAIT = 15.0
"""Seconds between tries to reach a cluster that is not there."""


class Cluster:
    """Usable once `connect` has returned."""

    def __init__(
        self,
        settings: Settings,
        *,
        instance: str,
        wiring: Wiring,
        rng: Random,
        on_failure: Callable[[KafkaFailed, float], None],
    ) -> None:
        self._connection = Connection(settings.kafka, client_id=f"wolkvox-hits-{instance}")
        self._wiring = wiring
        self._rng = rng
        self._on_failure = on_failure
        self._setup = TopicSetup(
            self._connection, heals=settings.recover.heals, on_created=_tell_created, on_lesser=_tell_lesser
        )
        self._registry = registry_of(settings)
        self._frames: SchemaFrames = {}
        self._servers: dict[int, list[str]] = {}
        self._rebalanced = asyncio.Event()
        self.heartbeat = Heartbeat()
        """Of the membership in the group."""
        self.shards: dict[str, int] = {}
        """The shard of each source."""

    @property
    def loaded(self) -> frozenset[int]:
        """The shards that have sources."""
        return frozenset(self.shards.values())

    async def connect(self) -> None:
        """Wait for the cluster, its topics and the schema registry, for ever; raises AccessDenied or Untrusted."""
        attempt = 0
        while not self._servers:
            try:
                topics = await self._setup.ready()
                self._frames = await self._framing()
            except (Unavailable, Discard) as error:
                attempt += 1
                wait = self._rng.uniform(0.2, min(LONGEST_WAIT, 2.0 ** min(attempt, 5)))
                self._on_failure(error, wait)
                await asyncio.sleep(wait)
            else:
                self.shards = {server: shard_of(server, topics.shards) for server in self._wiring.sources}
                self._servers = by_shard(self.shards)
        self._census = Census(connection=self._connection, setup=self._setup)

    async def _framing(self) -> SchemaFrames:
        if self._registry is None:
            return {}
        ids = await self._registry.ids()
        _log.info("schemas_known", schemas=[f"{self._registry.subject(one)} {number}" for one, number in ids.items()])
        return {topic: frame(number) for topic, number in ids.items()}

    async def watch(self) -> None:
        """Look at the topics again after each word of the group, until cancelled; raises Untrusted.

        A ledger that vanished takes all its shards away: nobody would take one again and find out.
        """
        while True:
            await self._rebalanced.wait()
            self._rebalanced.clear()
            try:
                await self._setup.look()
            except AccessDenied:
                pass  # told by whoever takes a shard next
            except (Unavailable, Discard):
                await asyncio.sleep(LONGEST_WAIT)
                self._rebalanced.set()

    def membership(self, *, on_assigned: Callable[[frozenset[int]], None], guest: bool = False) -> Membership:
        """This instance's place in the group; a guest takes only what no regular member is there for."""

        def assigned(shards: frozenset[int]) -> None:
            self._rebalanced.set()
            on_assigned(shards)

        self._member = Membership(
            connection=self._connection,
            topic=self._setup.topics.name(Topic.LEDGER),
            loaded=self.loaded,
            on_assigned=assigned,
            on_failure=self._on_failure,
            rng=self._rng,
            heartbeat=self.heartbeat,
            guest=guest,
        )
        return self._member

    def shard(self, number: int) -> Shard:
        """One of the shards that have sources."""
        return self._wiring.shard(
            number,
            self._servers[number],
            setup=self._setup,
            connection=self._connection,
            census=self._census,
            frames=self._frames,
            settled=self._member.settled,
        )


def _tell_created(names: Sequence[str]) -> None:
    _log.info("topics_created", topics=names)


def _tell_lesser(problem: str) -> None:
    _log.warning("topic_lesser", problem=problem)


def tell_away(error: KafkaFailed, wait: float) -> None:
    """Say in the log who is waited for, and for how many seconds now."""
    if isinstance(error, NoRegistry):
        _log.warning("registry_unavailable", error=error, retry_in=round(wait, 1))
    else:
        _log.warning("kafka_unavailable", error=error, retry_in=round(wait, 1))
