"""The five topics: made when missing, judged when present, never altered; looked at again whenever a shard is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from producer.errors import Unavailable, Untrusted
from producer.kafka.access.creation import create
from producer.kafka.access.inquiry import Inquiry
from producer.kafka.access.metadata import Metadata, TopicFacts
from producer.kafka.access.permissions import topic_configs
from producer.kafka.access.probe import probe, refuse_missing_rights
from producer.kafka.aiokafka_errors import failure, named
from producer.kafka.bounds import bounded
from producer.kafka.connection import Connection
from producer.kafka.fresh import Fresh
from producer.kafka.judgement import lesser, lost_ledger, new_topic, retention, unfit
from producer.kafka.reader import PartitionReader
from producer.model import Topic
from producer.settings.sections import Kafka

BOUND = 60.0
"""Seconds for all questions to the cluster together."""
_NEWS = 50
"""Looks for new topics, a tenth of a second apart: creation returns before all brokers know of it."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics as they are: partitions by role, and the largest batch that all of them accept, in bytes."""

    base: str
    partitions: Mapping[Topic, int]
    max_message_bytes: int
    retention: float = 0.0
    """Seconds that a hit surely stays on its topic."""

    def name(self, topic: Topic) -> str:
        """A topic's full name."""
        return self.base + topic

    @property
    def shards(self) -> int:
        """Partitions of the ledger."""
        return self.partitions[Topic.LEDGER]


class TopicSetup:
    """Makes and judges the topics; `on_created` is told the names of those it made, `on_lesser` what one had to lack.

    `accept_loss` makes a ledger anew although hits were published under another; who `heals` gaps needs one right more.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        accept_loss: bool = False,
        heals: bool = False,
        on_created: Callable[[Sequence[str]], object] = lambda _names: None,
        on_lesser: Callable[[str], object] = lambda _told: None,
    ) -> None:
        self._connection = connection
        self._accept_loss = accept_loss
        self._heals = heals
        self._settings: Kafka = connection.settings
        self._fresh = Fresh(self._looked_at)
        self._topics: Topics | None = None
        self._on_created = on_created
        self._on_lesser = on_lesser

    @property
    def topics(self) -> Topics:
        """As they were when last looked at."""
        assert self._topics is not None, "ready() comes first"
        return self._topics

    async def ready(self) -> Topics:
        """The topics, all there and fit, and all rights; raises Unavailable, AccessDenied or Untrusted."""
        await probe(self._connection)
        async with Inquiry(self._connection) as cluster:
            rights = refuse_missing_rights(cluster, heals=self._heals)
            await bounded(rights, seconds=BOUND, what="asking what is permitted")
        return await self.look()

    async def look(self) -> Topics:
        """The topics now, made where missing; raises Untrusted if the ledger has other shards than before."""
        before, after = self._topics, await self._fresh.get()
        if before is not None and before.shards != after.shards:
            raise Untrusted(
                f"the ledger {after.name(Topic.LEDGER)} has {after.shards} partitions, it had {before.shards}: "
                "it was repartitioned, or made anew, under the running service"
            )
        self._topics = after
        return after

    async def _looked_at(self) -> Topics:
        return await bounded(self._look(), seconds=BOUND, what="checking the topics")

    async def _look(self) -> Topics:
        with named("checking the topics"):
            async with Inquiry(self._connection) as cluster:
                return await self._judged(cluster, await self._there(cluster))

    async def _there(self, cluster: Inquiry) -> Metadata:
        """All of them, created where that is allowed."""
        found = await self._described(cluster)
        if missing := [topic for topic in Topic if self._facts(found, topic).missing]:
            await self._create(cluster, found, missing)
            for _ in range(_NEWS):
                found = await self._described(cluster)
                if not any(
                    self._facts(found, topic).missing or self._facts(found, topic).leaderless for topic in Topic
                ):
                    break
                await asyncio.sleep(0.1)
            # What may be done with a topic is not told before it is there.
            await refuse_missing_rights(cluster, heals=self._heals)
        if gone := [self._name(topic) for topic in Topic if self._facts(found, topic).missing]:
            raise Unavailable(f"topics not there yet: {', '.join(gone)}")
        return found

    async def _described(self, cluster: Inquiry) -> Metadata:
        found = await cluster.metadata([self._name(topic) for topic in Topic])
        for facts in found.topics.values():
            if facts.error is not None and not facts.missing:
                raise failure(facts.error(), f"describing {facts.name}")
        return found

    async def _create(self, cluster: Inquiry, found: Metadata, missing: list[Topic]) -> None:
        names = ", ".join(self._name(topic) for topic in missing)
        if not self._settings.create_topics:
            raise Untrusted(f"missing topics: {names}. Create them, or set KAFKA_CREATE_TOPICS=true")
        if Topic.LEDGER in missing and Topic.HITS not in missing and not self._accept_loss:
            await self._refuse_lost_ledger(self._facts(found, Topic.HITS).partitions)
        hits = self._facts(found, Topic.HITS)
        new = {topic: new_topic(topic, self._settings, hits) for topic in missing}
        plain = await create(cluster, found, list(new.values()))
        self._on_created([one.name for one in new.values()])
        for topic, one in new.items():
            if one.name in plain:
                told = lesser(topic, one)
                # The cluster's words last: a log line may cut them.
                self._on_lesser(f"topic {one.name} was made {told.text}: {told.remedy} ({plain[one.name]})")

    async def _refuse_lost_ledger(self, partitions: int) -> None:
        if await PartitionReader(self._connection, self._name(Topic.HITS)).holds_records(partitions):
            lost = lost_ledger(self._name(Topic.HITS), state="missing")
            raise Untrusted(f"topic {self._name(Topic.LEDGER)} is {lost.text}; {lost.remedy}")

    async def _judged(self, cluster: Inquiry, found: Metadata) -> Topics:
        named = await topic_configs(cluster, *map(self._name, Topic))
        configs = {topic: named[self._name(topic)] for topic in Topic}
        if problems := list(self._problems(found, configs)):
            raise Untrusted("; ".join(problems))
        partitions = {topic: self._facts(found, topic).partitions for topic in Topic}
        smallest = min(int(config["max.message.bytes"]) for config in configs.values())
        return Topics(self._settings.topic, partitions, smallest, retention(configs[Topic.HITS]))

    def _problems(self, found: Metadata, configs: Mapping[Topic, Mapping[str, str]]) -> Iterator[str]:
        for topic, config in configs.items():
            if problem := unfit(topic, self._facts(found, topic), config, self._settings):
                yield f"topic {self._name(topic)} has {problem.text}: {problem.remedy}"

    def _facts(self, found: Metadata, topic: Topic) -> TopicFacts:
        return found.topics[self._name(topic)]

    def _name(self, topic: Topic) -> str:
        return self._settings.topic + topic
