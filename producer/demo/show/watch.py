"""What is watched while a demo runs: the call centre, the service, the topics; looked at a few times a second."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from contextlib import aclosing

from producer.clock import Clock
from producer.demo.show.instance import Instance
from producer.demo.show.narrator import View
from producer.demo.show.plan import COVERAGE, TOPIC
from producer.demo.show.readback import Readback
from producer.demo.simulator import Simulator
from producer.demo.simulator.callcentre import SimulatedHit
from producer.errors import Untrusted
from producer.kafka.connection import Connection
from producer.kafka.tail import BEGINNING, tail

TICK = 0.25
"""Seconds between two looks."""


class Watch:
    """Looks at everything and shows it; `patience` is how many seconds `until` waits for what should happen."""

    def __init__(
        self,
        *,
        simulator: Simulator,
        instance: Instance,
        connection: Connection,
        clock: Clock,
        patience: float,
        show: Callable[[View], None],
    ) -> None:
        self.readback = Readback()
        self.may_end = False
        """Whether it is all right for the service to end."""
        self._simulator = simulator
        self._instance = instance
        self._connection = connection
        self._clock = clock
        self._patience = patience
        self._show = show
        self._ticked = asyncio.Event()
        self._state = ""

    async def run(self) -> None:
        """Look until cancelled; raises ServiceFailed if the service ends by itself."""
        following = asyncio.create_task(self._follow())
        try:
            while not following.done():
                await asyncio.sleep(TICK)
                await self._look()
            await following
        finally:
            following.cancel()
            await asyncio.wait({following})

    async def until(self, holds: Callable[[], bool], *, otherwise: str) -> None:
        """Wait until it holds; raises ServiceFailed, which says `otherwise`, if that takes too long."""
        try:
            async with asyncio.timeout(self._patience):
                while not holds():
                    await self._ticked.wait()
        except TimeoutError:
            raise self._instance.failure(f"After {self._patience:g} s: {otherwise}.") from None

    async def next_request(self) -> None:
        """Return when the next call of the API comes in, before it is answered."""
        source = self._simulator.sources[self._simulator.server]
        requests = source.requests
        await asyncio.wait_for(self._simulator.until(lambda: source.requests > requests), self._patience)

    def caught_up(self) -> bool:
        """Whether each hit that the API has shown was read back."""
        return not self.readback.missing(self._simulator.shown)

    def unseen(self) -> Sequence[SimulatedHit]:
        """Hits that the API can't show any more and never did, from its first answer on: before, nobody had asked."""
        source = self._simulator.sources[self._simulator.server]
        first = next(iter(source.audit.shown.values()), math.inf)
        return [hit for hit in self._simulator.never_shown if hit.occurred_at + source.centre.window > first]

    async def read_again(self) -> Readback:
        """Both topics from the beginning to where they end now, by a new consumer."""
        readback = Readback()
        await self._read(readback, follow=False)
        return readback

    async def _look(self) -> None:
        status = self._instance.exit_status()
        if status is not None and not self.may_end:
            raise self._instance.failure(f"The service ended by itself, with status {status}.")
        self._state = await self._instance.state()
        self._show(self._view())
        ticked, self._ticked = self._ticked, asyncio.Event()
        ticked.set()

    async def _follow(self) -> None:
        while True:
            try:
                await self._read(self.readback, follow=True)
            except Untrusted:  # the service has not made the topics yet
                await self._ticked.wait()

    async def _read(self, into: Readback, *, follow: bool) -> None:
        async with aclosing(tail(self._connection, TOPIC, COVERAGE, since=BEGINNING, follow=follow)) as records:
            async for record in records:
                assert record.value is not None
                if record.topic == TOPIC:
                    into.take_hit(record.value, now=self._clock.now().wall)
                else:
                    into.take_gap(record.value)

    def _view(self) -> View:
        shown, pid = self._simulator.shown, self._instance.pid
        return View(
            shown=len(shown),
            events=len(self.readback.events),
            duplicates=self.readback.duplicates,
            missing=self.readback.missing(shown),
            unseen=len(self.unseen()),
            gaps=len(self.readback.gaps),
            service=self._state if pid is None else f"{self._state} (process {pid})",
            last=tuple(self.readback.last),
        )
