"""One shard on Kafka: its transactional id, its partition of the ledger, its transactions.

The transactional id is `{ledger topic}-{shard}`: it names what it protects. Whoever holds it is the only one whose
commits succeed; taking it fences the holder and aborts or completes what he left open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from time import perf_counter

from aiokafka import AIOKafkaProducer

from producer.clock import Clock
from producer.core.fold import Fold
from producer.core.ledger import begun_record, owner_record, shard_of
from producer.errors import AccessDenied, Discard, Fenced, TooLarge, TooSlow, Unavailable, Untrusted
from producer.frame import SIZE, SchemaFrames, framed
from producer.kafka.access.probe import explained
from producer.kafka.aiokafka_errors import named
from producer.kafka.batches import Batches
from producer.kafka.bounds import bounded, retrieve
from producer.kafka.census import Census
from producer.kafka.clients import close, new_producer, start, why_it_failed
from producer.kafka.connection import Connection
from producer.kafka.judgement import lost_ledger
from producer.kafka.rotation import Rotation
from producer.kafka.topics import TopicSetup
from producer.model import Outgoing, Progress, Series, SourceFold, Topic

COMMIT_BOUND = 45.0
"""Seconds for a whole transaction; less than the broker's, so that we give up first."""
TAKE_BOUND = 30.0


class KafkaShardStore:
    """The store of shard `number`; `servers` are the sources that this instance would poll there.

    `frames` go around the values, if there is a schema registry.
    """

    def __init__(
        self,
        *,
        number: int,
        servers: Sequence[str],
        setup: TopicSetup,
        connection: Connection,
        census: Census,
        clock: Clock,
        frames: SchemaFrames,
        commit_bound: float = COMMIT_BOUND,
    ) -> None:
        self._number = number
        self._servers = servers
        self._setup = setup
        self._topics = setup.topics
        self._connection = connection
        self._census = census
        self._clock = clock
        self._frames = frames
        self._commit_bound = commit_bound
        self._producer: AIOKafkaProducer | None = None
        self._rotation = Rotation(connection)
        self._written = -1
        self._progress: Progress | None = None

    @property
    def limit(self) -> int:
        """Bytes that one record may have at most, with its batch around it."""
        return self._topics.max_message_bytes - (SIZE if self._frames else 0)

    @property
    def progress(self) -> Progress | None:
        """How far the ledger is read, while it is."""
        return self._progress

    async def take(self) -> Mapping[str, SourceFold]:
        """Take the transactional id, commit a barrier, read the ledger past it; raises a KafkaFailed.

        The topics are looked at first: whatever made the last transaction fail may have been done to them.
        """
        await self.discard()
        self._topics = await self._setup.look()
        what = f"taking the transactional id {self._ledger}-{self._number}"
        self._rotation = Rotation(self._connection)
        try:
            with named(what):
                self._producer = new_producer(self._connection, f"{self._ledger}-{self._number}")
                await start(self._producer, seconds=TAKE_BOUND, what=what)
                self._written = -1
                await self._commit_owner(owner_record(self._number, **self._owner()))
        except Unavailable as error:
            raise Unavailable(str(await explained(error, self._connection))) from None
        sources = await self._fold(self._written)
        self._refuse_misplaced(sources)
        await self._refuse_unknown([one for one in self._servers if sources.get(one, SourceFold()).cursor is None])
        return sources

    async def commit(self, records: Iterable[Outgoing | Series]) -> None:
        """All records in one transaction; raises Discard (outcome unknown) or one of its kinds."""
        if self._producer is None:
            raise Discard("no producer: take the shard first")
        await self._rotation.refuse()
        began = perf_counter()
        try:
            with named("committing"):
                work = self._rotation.during(self._transaction(self._producer, records))
                await bounded(work, seconds=self._commit_bound, what="committing")
        except (Fenced, TooLarge, Untrusted):
            raise
        except AccessDenied as error:
            raise await explained(error, self._connection) from None
        except (Unavailable, Discard) as error:
            # In the middle of a transaction, so nobody knows how it ended, also if it turns out why.
            seconds = perf_counter() - began
            # A partition's next batch waits for the one before it, in aiokafka no longer than a request may take.
            too_slow = seconds >= min(self._commit_bound, self._connection.request_timeout)
            kind = TooSlow if too_slow else Discard
            raise kind(f"{await explained(error, self._connection)} (after {seconds:.1f} s)") from None

    async def discard(self) -> None:
        """Throw the producer away, with what it has not sent."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await close(producer)
            _overlook(producer)

    async def _commit_owner(self, record: Outgoing) -> None:
        assert self._producer is not None
        what = "committing the barrier"
        with named(what):
            await bounded(self._transaction(self._producer, [record]), seconds=TAKE_BOUND, what=what)
        if self._written < 0:
            raise Unavailable(f"{what}: the broker does not say where it is")

    async def _transaction(self, producer: AIOKafkaProducer, records: Iterable[Outgoing | Series]) -> None:
        try:
            await self._written_by(producer, records)
        except Exception:
            # Whatever is tried after a fence fails as a wrong call; who does not know of it would take the shard back.
            if (why := why_it_failed(producer)) is not None:
                raise why  # noqa: B904 (the wrong call says nothing more)
            raise

    async def _written_by(self, producer: AIOKafkaProducer, records: Iterable[Outgoing | Series]) -> None:
        await producer.begin_transaction()
        batches = Batches(
            producer,
            self._topics,
            shard=self._number,
            timestamp=int(self._clock.now().wall * 1000),
            compression=self._connection.settings.compression,
        )
        await batches.add(framed(records, self._frames) if self._frames else records)
        self._refuse_made_anew(await batches.delivered())
        await producer.commit_transaction()

    def _refuse_made_anew(self, offsets: Iterable[int]) -> None:
        """A ledger whose offsets go back is another one: the next owner would lack all that was told before."""
        known = [offset for offset in offsets if offset >= 0]
        if known and min(known) <= self._written:
            raise Untrusted(
                f"the ledger {self._ledger} went back to offset {min(known)} in partition {self._number}, after "
                f"{self._written}: it was deleted and made again under the running service, or cut short by an unclean "
                "election. Nothing was published on it; the next start says what it costs to go on"
            )
        self._written = max([self._written, *known])

    async def _fold(self, barrier: int) -> Mapping[str, SourceFold]:
        fold = Fold()
        try:
            async with aclosing(self._census.reader.parts_past(self._number, barrier)) as parts:
                async for part in parts:
                    fold.apply((record.key, record.value) for record in part.records)
                    self._progress = Progress(len(fold), part.share)
                    await asyncio.sleep(0)
            return await asyncio.to_thread(fold.sources)  # a million ids would hold the loop for 0.3 s
        finally:
            self._progress = None

    def _refuse_misplaced(self, sources: Iterable[str]) -> None:
        for server in sources:
            right = shard_of(server, self._topics.shards)
            if right != self._number:
                raise Untrusted(self._repartitioned(server, found=self._number, right=right))

    async def _refuse_unknown(self, servers: Sequence[str]) -> None:
        """Servers without a cursor here may have one in another partition; if nobody has one, the ledger may be lost.

        An honest beginning is marked before its first event. So whoever sees an event and then no mark, sees a loss.
        """
        if not servers:
            return
        published = await self._census.published()
        known = await self._census.known()
        for server in servers:
            if (found := known.servers.get(server, self._number)) != self._number:
                raise Untrusted(self._repartitioned(server, found=found, right=self._number))
        if known.begun:
            return
        if published:
            lost = lost_ledger(self._topics.name(Topic.HITS), state="empty")
            raise Untrusted(f"the ledger {self._ledger} is {lost.text}; {lost.remedy}")
        await self._commit_owner(begun_record(**self._owner()))

    def _repartitioned(self, server: str, *, found: int, right: int) -> str:
        return (
            f"the ledger {self._ledger} has server {server} in partition {found}, it belongs into "
            f"{right} of {self._topics.shards}: the topic was repartitioned. With every instance stopped, "
            f"`wolkvox-hits ledger reset {server}` forgets the source, at the cost of up to an hour of duplicates"
        )

    @property
    def _ledger(self) -> str:
        return self._topics.name(Topic.LEDGER)

    def _owner(self) -> dict[str, str]:
        return {"owner": self._connection.client_id, "taken_at": self._clock.now().rfc3339()}


def _overlook(producer: AIOKafkaProducer) -> None:
    """Look at the errors that a fenced producer leaves where nobody waits any more; asyncio would tell each at its end.

    They are in batches that were kept for a sender which has ended.
    """
    queues = producer._message_accumulator._batches.values()  # noqa: SLF001 (aiokafka offers no other way)
    left = [future for queue in queues for batch in queue for future in (batch.future, batch._drain_waiter)]  # noqa: SLF001
    for future in left:
        if future.done():
            retrieve(future)
