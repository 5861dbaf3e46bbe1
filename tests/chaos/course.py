"""What every run is: instances that start, things that happen to them, a peace in which all is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from tests.chaos.plan import INSTANCES
from tests.chaos.stage import TYPIFY_BY, Stage

SETTLE = 180.0


class Course:
    """One run on a stage; `say` gets a line for each thing that happens."""

    def __init__(self, stage: Stage, *, say: Callable[[str], object]) -> None:
        self._stage = stage
        self._say = say
        self._story: list[str] = []
        self._began = time.time()

    async def _begin(self) -> None:
        self._began = time.time()
        for place in range(INSTANCES):
            await self._stage.start(place)
        await self._stage.all[0].until("committed")

    async def _stop(self, place: int) -> None:
        instance = self._stage.vacate(place)
        self._tell(f"{instance.name} ended after {await instance.stop():.1f} s")

    async def _settle(self) -> None:
        """All is well, nobody calls any more, and each source's owner has nothing new and nothing that waits."""
        self._tell("all is well from now on")
        await asyncio.sleep(5.0)  # the last late rows
        self._stage.simulator.stop_calls()
        await asyncio.sleep(2 * TYPIFY_BY + 1.0)  # the last corrections
        running = [one for one in self._stage.places if one is not None]
        for server in self._stage.servers:
            marks = {one: one.mark() for one in running}
            waiting = [
                asyncio.create_task(
                    one.until("poll_done", since=since, within=SETTLE, server=server, new=0, changed=0, pending=0)
                )
                for one, since in marks.items()
            ]
            done, late = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
            done.pop().result()

    def _tell(self, text: str) -> None:
        line = f"{time.time() - self._began:7.1f} s  {text}"
        self._story.append(line)
        self._say(line)
