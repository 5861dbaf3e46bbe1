"""One run: everything that the plan has for two instances, three brokers and an API; then peace, and the audit."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from producer.demo.broker.node import Node
from producer.kafka.judgement import LEDGER_SHARDS
from tests.chaos import waits
from tests.chaos.cluster import Network
from tests.chaos.course import Course
from tests.chaos.plan import INSTANCES, Kind, Trouble, plan
from tests.chaos.stage import TOPIC, TYPIFY_BY, Stage
from tests.chaos.verdict import Verdict, verdict
from tests.integration.service.audit import audit

DEPOSED = 6.0
"""Seconds in which the others miss a frozen broker, elect and acknowledge: its session is 3 s."""
HEALS = {"RECOVER_GAPS": "history", "RECOVER_DELAY": f"{3 * TYPIFY_BY:g}s"}
"""Gaps heal, once the last code has been given."""
LATE = 0.3
"""Seconds that each of a broker's answers takes through a slow network."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to; `recoveries` in seconds, `logs` by process."""

    seed: int
    seconds: float
    verdict: Verdict
    troubles: Sequence[waits.Past]
    recoveries: Mapping[Kind, Sequence[float]]
    story: Sequence[str]
    logs: Mapping[str, Sequence[str]]


class Chaos(Course):
    """`run` it."""

    def __init__(self, *, seed: int, seconds: float, folder: Path, say: Callable[[str], object]) -> None:
        super().__init__(Stage(seed=seed, folder=folder, settings=HEALS), say=say)
        self._seed = seed
        self._seconds = seconds
        self._troubles: list[waits.Past] = []

    async def run(self) -> Outcome:
        """Everything, from the first broker to the audit."""
        stage = self._stage
        async with stage.opened():
            await self._live()
            await self._settle()
            judged = verdict(await audit(stage.cluster.nodes[0].bootstrap, TOPIC), stage.shown())
            for place in range(INSTANCES):
                await self._stop(place)
        return self._outcome(judged)

    async def _live(self) -> None:
        await self._begin()
        async with asyncio.TaskGroup() as lanes:
            for lane in plan(self._seed, seconds=self._seconds):
                lanes.create_task(self._lane(lane))

    async def _lane(self, lane: Sequence[Trouble]) -> None:
        for trouble in lane:
            await asyncio.sleep(max(0.0, self._began + trouble.at - time.time()))
            self._tell(str(trouble))
            began = time.time()
            await self._go_through(trouble)
            self._troubles.append(waits.Past(trouble.kind, began, time.time()))

    async def _go_through(self, trouble: Trouble) -> None:
        match trouble.kind:
            case Kind.KILL | Kind.TERM:
                await self._down(trouble)
            case Kind.PAUSE:
                await self._pause(trouble)
            case Kind.CUT | Kind.REFUSE | Kind.SLOW:
                await self._disturb(self._stage.networks[trouble.target], trouble)
            case Kind.API:
                self._stage.simulator.fault = trouble.detail
                await asyncio.sleep(trouble.seconds)
                self._stage.simulator.fault = None
            case _:
                await self._broker(trouble)

    async def _down(self, trouble: Trouble) -> None:
        if trouble.kind is Kind.KILL:
            await self._stage.vacate(trouble.target).kill()
        else:
            await self._stop(trouble.target)
        await asyncio.sleep(trouble.seconds)
        await self._stage.start(trouble.target)

    async def _pause(self, trouble: Trouble) -> None:
        instance = self._stage.places[trouble.target]
        assert instance is not None
        instance.send(signal.SIGSTOP)
        await asyncio.sleep(trouble.seconds)
        instance.send(signal.SIGCONT)

    async def _disturb(self, network: Network, trouble: Trouble) -> None:
        if trouble.kind is Kind.CUT:
            network.cut()
        elif trouble.kind is Kind.SLOW:
            network.late(LATE)
        else:
            await network.refuse()
        await asyncio.sleep(trouble.seconds)
        await network.mend()

    async def _broker(self, trouble: Trouble) -> None:
        node = self._stage.cluster.nodes[trouble.target]
        if trouble.kind is Kind.NODE_PAUSE:
            node.suspend()
            await asyncio.sleep(trouble.seconds)
            node.resume()
            return
        if trouble.kind is Kind.NODE_ALONE:
            await self._alone(node, trouble.seconds)
            return
        victims = self._stage.cluster.nodes if trouble.kind is Kind.CLUSTER_KILL else [node]
        for victim in victims:
            await asyncio.to_thread(victim.stop if trouble.kind is Kind.NODE_STOP else victim.kill)
        await asyncio.sleep(trouble.seconds)
        await asyncio.to_thread(self._stage.cluster.start)

    async def _alone(self, deposed: Node, seconds: float) -> None:
        """Deposed while it is frozen, then the only one that answers: to it as if its peers were cut off."""
        others = [node for node in self._stage.cluster.nodes if node is not deposed]
        deposed.suspend()
        await asyncio.sleep(DEPOSED)
        for node in others:
            node.suspend()
        deposed.resume()
        await asyncio.sleep(seconds)
        for node in others:
            node.resume()

    def _outcome(self, judged: Verdict) -> Outcome:
        stage = self._stage
        lines = {one.name: one.lines for one in stage.all}
        told = waits.commits([line for some in lines.values() for line in some], stage.servers, shards=LEDGER_SHARDS)
        judged.wrong += [*waits.complaints(lines, told), *stage.busy, *stage.died()]
        recoveries: dict[Kind, list[float]] = {}
        for trouble in self._troubles:
            if (seconds := waits.after(trouble, told)) is not None:
                recoveries.setdefault(trouble.kind, []).append(seconds)
        logs = {one.name: one.raw for one in stage.all}
        return Outcome(self._seed, self._seconds, judged, self._troubles, recoveries, self._story, logs)
