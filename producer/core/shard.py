"""One owned shard: take it, restore, poll its sources, commit what they bring; on any failure take it again.

    take the transactional id -> fold the ledger -> poll -> commit, commit, commit ...
         ^---- backoff <---- discard the producer <---- KafkaFailed ----'

Polling begins after the first restore and then goes on through every failure of Kafka.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random
from time import perf_counter

from producer.clock import Clock
from producer.core.healer import Healer
from producer.core.poller import ROWS_PER_TRANSACTION, commit_once
from producer.core.ports import Observer, ShardStore, Told
from producer.core.retries import FENCES, Retries
from producer.core.rounds import Rounds
from producer.core.takeover import Takeover
from producer.errors import AccessDenied, Fenced, KafkaFailed, TooSlow, Untrusted
from producer.model import Progress

POLL_BOUND = 2.0
"""Seconds for a cancelled poll to let go of its connection."""

LEAST_ROOM = 100
"""Rows in a transaction, however slow the way is: fewer would not make it quicker."""


class Shard:
    """The sources of one ledger partition, while this instance owns it.

    `settled` returns once the group's word on who owns what is fresh; a fenced owner asks it before it takes the
    transactional id back, so that a zombie does not fence the true owner.
    """

    def __init__(
        self,
        *,
        number: int,
        store: ShardStore,
        all_rounds: Sequence[Rounds],
        healers: Sequence[Healer] = (),
        settled: Callable[[], Awaitable[None]],
        clock: Clock,
        rng: Random,
        observer: Observer,
    ) -> None:
        self.number = number
        self.all_rounds = all_rounds
        self._healers = healers
        self.failure: KafkaFailed | None = None
        self.restored = False
        self._sources = [rounds.source for rounds in all_rounds]
        self._store = store
        self._settled = settled
        self._clock = clock
        self._observer = observer
        self._work = asyncio.Event()
        self._once = False
        self._last_try = True
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._began: float | None = None
        self._polls: set[asyncio.Task[None]] = set()
        self._takeover = Takeover(number=number, sources=self._sources, store=store, clock=clock, observer=observer)
        self._is_taking = False
        self._retries = Retries(rng)
        self._room = ROWS_PER_TRANSACTION

    @property
    def pending(self) -> int:
        """Rows that wait for Kafka."""
        return sum(len(source.pending) for source in self._sources)

    @property
    def progress(self) -> Progress | None:
        """How far the ledger is read, while it is."""
        return self._store.progress

    @property
    def committing_for(self) -> float:
        """Seconds since the transaction in hand began; 0 if there is none. Ask within the loop."""
        return 0.0 if self._began is None else asyncio.get_running_loop().time() - self._began

    def start(self) -> asyncio.Task[None]:
        """Own the shard in a task; it fails with AccessDenied or Untrusted, which only a person can mend."""
        self._task = asyncio.create_task(self._run(), name=f"shard-{self.number}")
        return self._task

    async def stop(self, *, within: float, last_try: bool = True) -> None:
        """Let the shard go: what waits is committed if that takes no longer than `within` seconds.

        `last_try` takes the transactional id once more for it, if the last transaction failed: not when the shard has
        gone to another owner, who would be fenced.
        """
        self._last_try = last_try
        self._stopping.set()
        await self._stop_polling()
        self._work.set()
        if self._task is not None:
            if self._is_taking and not last_try:
                self._task.cancel()  # to go on would fence the new owner
            _, late = await asyncio.wait({self._task}, timeout=within)
            for task in late:
                task.cancel()
                await asyncio.wait({task}, timeout=within)
            if self._task.done() and not self._task.cancelled():
                self._task.exception()  # several shards may fail for one reason, and the first has said it
        servers = [source.server for source in self._sources]
        for source in self._sources:
            source.release()
        self._observer.given_up(self.number, servers, pending=self.pending)

    def forgo(self) -> None:
        """Leave out the last try, for the group has given the shard to another owner."""
        self._last_try = False

    async def once(self, *, within: float) -> bool:
        """One poll of each source, committed; False if that is not done after `within` seconds."""
        self._once = True
        task = self.start()
        done, _ = await asyncio.wait({task}, timeout=within)
        await self.stop(within=2.0)
        for finished in done:
            finished.result()
        return bool(done)

    async def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                wait = await self._tenure()
                await self._pause(wait)
            if self.pending and self._last_try:
                # Stopped between two tries: one more, as long as `stop` waits. After a fence too, since the group was
                # asked: if it still says ours, nobody else need have what waits here.
                await self._tenure()
        finally:
            await self._stop_polling()

    async def _tenure(self) -> float:
        """From taking the shard to the failure that ends it; seconds to wait before the next."""
        try:
            await self._take()
            self.restored, self.failure = True, None
            self._start_polling()
            self._wake_healers()
            while not self._stopping.is_set():
                self._work.clear()
                await self._commit_all()
                if self._once and all(poll.done() for poll in self._polls):
                    break
                await self._work.wait()
            self._stopping.set()
            await self._commit_all()
        except KafkaFailed as error:
            return await self._wait_after(error)
        finally:
            await self._store.discard()
        return 0.0

    async def _take(self) -> None:
        self._is_taking = True
        try:
            await self._takeover.take()
        finally:
            self._is_taking = False

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            stopping = asyncio.ensure_future(self._stopping.wait())
            await asyncio.wait({stopping}, timeout=seconds)
            stopping.cancel()

    async def _commit_all(self) -> None:
        while waiting := [source for source in self._sources if source.pending]:
            # What does not fit is left of the largest backlog, and no neighbour waits for that.
            waiting.sort(key=lambda source: len(source.pending))
            began = perf_counter()
            told = {source.server: Told() for source in waiting}
            self._began = asyncio.get_running_loop().time()
            try:
                await commit_once(waiting, self._store, self._clock, told, room=self._room)
            except TooSlow:
                self._room = max(LEAST_ROOM, min(self._room, _rows(told)) // 2)
                raise
            finally:
                self._began = None
                self._observer.dropped(told)
            self._retries.succeeded()
            # By an eighth: on a way that is slow for good, twice as much would fail every other time.
            self._room = min(ROWS_PER_TRANSACTION, self._room + self._room // 8)
            self._observer.committed(self.number, told, seconds=perf_counter() - began)
            self._wake_healers()

    async def _wait_after(self, error: KafkaFailed) -> float:
        self.failure = error
        if isinstance(error, Untrusted) or (isinstance(error, AccessDenied) and not self.restored):
            raise error
        wait = self._retries.failed()
        if isinstance(error, Fenced):
            wait = self._wait_after_fence() or wait
        self._observer.commit_failed(self.number, error, pending=self.pending, retry_in=wait)
        if isinstance(error, Fenced):
            await self._settled()
        return wait

    def _wait_after_fence(self) -> float | None:
        seconds = self._retries.fenced(asyncio.get_running_loop().time())
        if seconds is None:
            return None
        self._observer.fenced_repeatedly(self.number, times=FENCES, seconds=seconds)
        return self._retries.long()

    def _start_polling(self) -> None:
        if not self._polls and not self._stopping.is_set():
            self._polls = {asyncio.create_task(self._poll(rounds)) for rounds in self.all_rounds}
            if not self._once:
                self._polls |= {asyncio.create_task(healer.run(self._work.set)) for healer in self._healers}

    def _wake_healers(self) -> None:
        for healer in self._healers:
            healer.wake()

    async def _poll(self, rounds: Rounds) -> None:
        if self._once:
            await rounds.once()
            asyncio.get_running_loop().call_soon(self._work.set)  # when this task is done
        else:
            await rounds.run(self._work.set)

    async def _stop_polling(self) -> None:
        polls, self._polls = self._polls, set()
        for task in polls:
            task.cancel()
        if polls:
            await asyncio.wait(polls, timeout=POLL_BOUND)
        for rounds in self.all_rounds:
            rounds.heartbeat.rest()


def _rows(told: Mapping[str, Told]) -> int:
    return sum(one.published + one.dead_lettered + one.recovered.total() for one in told.values())
