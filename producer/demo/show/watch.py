"""What is watched while a demo runs: the call centre, the service, the topics; looked at a few times a second."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence

from producer.demo.show.instance import Instance
from producer.demo.show.narrator import Shown, View
from producer.demo.show.readback import Readback
from producer.demo.show.reading import Reading
from producer.demo.simulator import Simulator
from producer.demo.simulator.callcentre import SimulatedHit

TICK = 0.25
"""Seconds between two looks."""


class Watch:
    """Looks at everything and shows it; `patience` is how many seconds `until` waits for what should happen."""

    def __init__(
        self,
        *,
        simulator: Simulator,
        instance: Instance,
        reading: Reading,
        patience: float,
        show: Callable[[View], None],
    ) -> None:
        self.may_end = False
        """Whether it is all right for the service to end."""
        self._simulator = simulator
        self._instance = instance
        self._reading = reading
        self._patience = patience
        self._show = show
        self._ticked = asyncio.Event()
        self._state = ""

    @property
    def readback(self) -> Readback:
        """What was read back so far."""
        return self._reading.readback

    async def run(self) -> None:
        """Look until cancelled; raises ServiceFailed if the service ends by itself."""
        following = asyncio.create_task(self._reading.follow())
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

    def healed(self) -> bool:
        """Whether each hit that the API never showed was read back all the same."""
        return not self.readback.missing({hit.conn_id for hit in self.unseen()})

    def heard_the_last_words(self) -> bool:
        """Whether the last that the API showed of each hit was read back."""
        words = self.readback.words
        return all(words[conn_id][-1] == said[-1] for conn_id, said in self._simulator.said.items() if conn_id in words)

    def corrected(self) -> tuple[str, Sequence[str]] | None:
        """A hit that was typified late and then corrected, and all that its events said."""
        return next(((conn_id, said) for conn_id, said in self.readback.words.items() if len(said) > 2), None)

    def unseen(self) -> Sequence[SimulatedHit]:
        """Hits that the API can't show any more and never did, from its first answer on: before, nobody had asked."""
        source = self._simulator.sources[self._simulator.server]
        first = next(iter(source.audit.shown.values()), math.inf)
        return [hit for hit in self._simulator.never_shown if hit.occurred_at + source.centre.window > first]

    async def read_again(self) -> Readback:
        """The topics from the beginning to where they end now, by a new consumer."""
        return await self._reading.again()

    async def _look(self) -> None:
        status = self._instance.exit_status()
        if status is not None and not self.may_end:
            raise self._instance.failure(f"The service ended by itself, with status {status}.")
        self._state = await self._instance.state()
        self._show(self._view())
        ticked, self._ticked = self._ticked, asyncio.Event()
        ticked.set()

    def _view(self) -> View:
        shown, pid = self._simulator.shown, self._instance.pid
        return View(
            shown=Shown(len(shown), missing=self.readback.missing(shown), unseen=len(self.unseen())),
            events=len(self.readback.events),
            duplicates=self.readback.duplicates,
            changes=self.readback.changes,
            gaps=len(self.readback.gaps),
            service=self._state if pid is None else f"{self._state} (process {pid})",
            last=tuple(self.readback.last),
        )
