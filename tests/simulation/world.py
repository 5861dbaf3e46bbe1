"""One seed from its beginning to its audit: instances come and go, troubles begin and end, then the sun comes out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from random import Random

from producer.errors import Untrusted
from producer.model import Outgoing, Topic
from tests.simulation.audit import Ledger, findings
from tests.simulation.broker import SimulatedKafka
from tests.simulation.conditions import Weather, now
from tests.simulation.instance import Instance
from tests.simulation.peace import SETTLE_BOUND, refused, settled, stopped
from tests.simulation.plan import Kind, Plan, Trouble
from tests.simulation.processes import Process, in_world
from tests.simulation.story import Story, Wrong
from tests.simulation.supplies import Supplies
from tests.simulation.watch import Watch
from tests.twins.memory_kafka import Where

STOP_BOUND = 12.0


class World:
    """Everything of one seed; make it within the loop."""

    def __init__(self, plan: Plan, story: Story) -> None:
        self.plan = plan
        self.story = story
        self.weather = Weather(plan, strike=self._struck)
        self.kafka = SimulatedKafka(marker_delay=self.weather.marker_delay, on_commit=self._decided)
        self.supplies = Supplies(plan, self.weather, self.kafka)
        # Whose wall clocks are set can't say which of two snapshots was the later.
        self.ledger = Ledger(self.supplies.archives, self.supplies.streams, judges_cursors=not plan.clocks_are_set)
        self.places: list[Instance | None] = [None] * plan.places
        self.all: list[Instance] = []
        self.lost = False
        """Whether the ledger was lost after something had been told: from then on nobody may tell anything."""
        self._healed = asyncio.Event()
        self._jobs: dict[asyncio.Task[None], None] = {}
        self._wrong: list[str] = []

    async def run(self) -> None:
        """Live through it; raises Wrong."""
        try:
            async with asyncio.timeout(self.plan.duration + 9 * SETTLE_BOUND):
                await self._run()
        except TimeoutError:
            raise Wrong("somebody waits without a bound") from None
        finally:
            await self._clean_up()

    async def _run(self) -> None:
        for place in range(self.plan.places):
            self.launch(place)
        for trouble in self.plan.troubles:
            await self._until(trouble.at)
            self._job(self._go_through(trouble))
        await self._until(self.plan.duration)
        await self._heal()
        if self.lost:
            await refused(self)
            return
        await settled(self)
        await stopped(self)
        self.check()
        if wrong := findings(self):
            raise Wrong("\n".join(wrong[:10]))

    def launch(self, place: int) -> None:
        """A new process at a place."""
        if self.places[place] is not None:
            return
        name = f"p{place}.{len(self.all)}"
        self.weather.places[name] = place
        watch = Watch(lambda text: self._tell(name, text))
        rng = Random(f"instance/{self.plan.seed}/{name}")
        setups, around, clock = self.supplies.setups(), self.supplies.around(place, name), self.supplies.clocks[place]
        instance = Instance(name, setups, around, clock=clock, rng=rng, observer=watch)
        self.places[place] = instance
        self.all.append(instance)
        self._tell(name, "started")
        instance.start()

    def check(self) -> None:
        """Raise what went wrong until now."""
        failed = ((one.process.name, one.failed) for one in self.all if one.failed is not None)
        self._wrong += [f"{name} ended: {error!r}" for name, error in failed if not self._may_refuse(error)]
        if self._wrong:
            raise Wrong("\n".join(dict.fromkeys(self._wrong)))

    def _may_refuse(self, error: BaseException) -> bool:
        return self.lost and isinstance(error, Untrusted)

    async def _go_through(self, trouble: Trouble) -> None:
        self._tell("world", f"{trouble.kind} {trouble.detail} (of {trouble.target}, {trouble.seconds:.1f} s)")
        match trouble.kind:
            case Kind.KILL | Kind.STOP:
                await self._down(trouble.target, trouble.kind, trouble.seconds)
            case Kind.PAUSE:
                await self._pause(self.places[trouble.target], trouble.seconds)
            case Kind.LOST:
                self.kafka.lose_ledger()
                self.lost = self.lost or bool(self.ledger.told)
            case Kind.STEP:
                self.supplies.clocks[trouble.target].set_wall(float(trouble.detail))
            case _:
                if trouble.kind is Kind.PAST:
                    self.weather.depose(trouble, self.kafka.ends())
                else:
                    self.weather.begin(trouble)
                self._follow_kafka()
                await self._rest(trouble.seconds)
                self.weather.end(trouble)
                self._follow_kafka()
                self._tell("world", f"{trouble.kind} {trouble.detail} (of {trouble.target}) is over")

    async def _down(self, place: int, how: Kind, seconds: float) -> None:
        instance = self.places[place]
        if instance is None or (how is Kind.STOP and instance.process.paused):
            return
        self.places[place] = None
        await self._ended(instance, how)
        await self._rest(seconds)
        self.launch(place)

    async def _ended(self, instance: Instance, how: Kind) -> None:
        began = now()
        if how is Kind.KILL:
            await instance.kill()
        else:
            await instance.stop()
            if now() - began > STOP_BOUND and not instance.process.paused:
                self._wrong.append(f"{instance.process.name} took {now() - began:.1f} s to stop")
        self._tell(instance.process.name, f"{how}, {instance.pendings.waiting()} rows die with it")

    async def _pause(self, instance: Instance | None, seconds: float) -> None:
        if instance is None or instance.process.paused:
            return
        instance.process.pause()
        await self._rest(seconds)
        if instance.process.held or not instance.process.killed:
            self._tell(instance.process.name, "goes on")
            instance.process.resume()

    def _struck(self, process: Process, rng: Random) -> None:
        """In the middle of a transaction: from here on not one line of it runs, for a while or for ever."""
        if self._healed.is_set():
            return
        place = self.weather.places[process.name]
        instance = self.places[place]
        if instance is None or instance.process is not process:
            return
        seconds = rng.choice((rng.uniform(1, 30), rng.uniform(60, 1200)))
        if rng.random() < 0.5:
            self._tell(process.name, f"killed in the middle, for {seconds:.0f} s")
            process.pause()  # not one more callback; `kill` then throws away what it was about to do
            self._job(self._down(place, Kind.KILL, seconds))
        else:
            self._tell(process.name, f"paused in the middle, for {seconds:.0f} s")
            self._job(self._pause(instance, seconds))

    async def _heal(self) -> None:
        self._tell("world", "all is well from now on")
        self._healed.set()
        while self._jobs:
            await asyncio.wait(self._jobs)
        self.weather.clear()
        self._follow_kafka()
        if self.plan.split:
            for place in range(1, self.plan.places):
                await self.retire(place)

    async def retire(self, place: int) -> None:
        """Stop whoever is at a place, and start nobody."""
        instance, self.places[place] = self.places[place], None
        if instance is not None:
            await self._ended(instance, Kind.STOP)

    async def dismiss(self, place: int) -> None:
        """Kill whoever is at a place, ended or not."""
        instance, self.places[place] = self.places[place], None
        if instance is not None:
            await instance.kill()

    async def _clean_up(self) -> None:
        """Also after a failure, so that the next seed begins with nothing."""
        self._healed.set()
        for instance in self.all:
            await instance.kill()
        while self._jobs:
            await asyncio.wait(self._jobs)
        for instance in self.all:  # of what the last jobs started
            await instance.kill()

    async def _until(self, moment: float) -> None:
        await asyncio.sleep(max(0.0, moment - now()))
        self.check()

    async def _rest(self, seconds: float) -> None:
        """So many seconds, or until all is to be well."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._healed.wait()

    def _job(self, work: object) -> None:
        task = in_world(work, name="trouble")  # type: ignore[arg-type]  # coroutines of this class
        self._jobs[task] = None
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._jobs[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._wrong.append(f"{type(error).__name__}: {error}")

    def _decided(self, contents: Sequence[tuple[Where, Outgoing]]) -> None:
        self._wrong += self.ledger.add([record for _, record in contents], at=now())
        rows = sum(where[0] in (Topic.HITS, Topic.DEAD_LETTER) for where, _ in contents)
        self._tell("broker", f"committed {rows} rows, {len(contents)} records")

    def _tell(self, who: str, what: str) -> None:
        self.story.tell(now(), who, what)

    def _follow_kafka(self) -> None:
        for coordinator in self.supplies.coordinators:
            if coordinator.down != self.weather.kafka_is_down():
                coordinator.down = not coordinator.down
