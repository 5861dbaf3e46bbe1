"""A consumer group: one coordinator, the real assignor, and members whose heartbeats may stop.

join -> everybody joins again, or misses the session -> the leader shares out -> each hears it some time later
 ^------- a heartbeat is refused: the generation is over, or the session was -------------------'
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from producer.kafka.assignor import StickyShards
from tests.simulation.processes import later_in_world

TOPIC = "wolkvox.hits.ledger"
SETTLE_BOUND = 30.0
"""As in producer/kafka/membership.py."""


@dataclass(slots=True)
class _Seat:
    deadline: float
    metadata: Any = None
    joining: asyncio.Future[tuple[int, Any]] | None = None


class Coordinator:
    """The broker's side. `session` and `heartbeat` in seconds."""

    def __init__(self, *, shards: int, session: float = 10.0, heartbeat: float = 2.5) -> None:
        self.session = session
        self.heartbeat_interval = heartbeat
        self._cluster: Any = SimpleNamespace(partitions_for_topic=lambda _topic: set(range(shards)))
        self._seats: dict[str, _Seat] = {}
        self._generation = 0
        self._rebalancing: asyncio.TimerHandle | None = None
        self._watching: asyncio.TimerHandle | None = None
        self._down = False

    def join(self, name: str, metadata: Any) -> asyncio.Future[tuple[int, Any]]:
        """Ask for a place; the future has the generation and the assignment once the rebalance is over."""
        future: asyncio.Future[tuple[int, Any]] = asyncio.get_running_loop().create_future()
        seat = self._seats.setdefault(name, _Seat(0.0))
        seat.metadata, seat.joining = metadata, future
        self._begin()
        if all(one.joining is not None for one in self._seats.values()):
            later_in_world(0.0, self._complete)
        return future

    def heartbeat(self, name: str, generation: int) -> bool:
        """Whether the member is one of the present generation."""
        seat = self._seats.get(name)
        if seat is None or generation != self._generation or self._rebalancing is not None:
            return False
        self._live_on(seat)
        return True

    def leave(self, name: str) -> None:
        """A member that says goodbye."""
        if self._seats.pop(name, None) is not None:
            self._begin()

    @property
    def down(self) -> bool:
        """Whether the broker is away; nobody's session ends meanwhile, and all begin anew when it is back."""
        return self._down

    @down.setter
    def down(self, down: bool) -> None:
        self._down = down
        for seat in self._seats.values():
            self._live_on(seat)

    def _live_on(self, seat: _Seat) -> None:
        seat.deadline = asyncio.get_running_loop().time() + self.session
        if self._watching is None:
            self._watching = later_in_world(self.session + 0.001, self._expire)

    def _expire(self) -> None:
        self._watching = None
        now = asyncio.get_running_loop().time()
        if not self._down and self._rebalancing is None:  # in a rebalance, who does not join again is left out
            for name in [name for name, seat in self._seats.items() if seat.joining is None and seat.deadline < now]:
                self.leave(name)
        if self._seats:
            until = min(seat.deadline for seat in self._seats.values())
            self._watching = later_in_world(max(self.heartbeat_interval, until - now + 0.001), self._expire)

    def _begin(self) -> None:
        if self._rebalancing is None:
            self._rebalancing = later_in_world(self.session, self._complete)

    def _complete(self) -> None:
        if self._rebalancing is None:
            return
        self._rebalancing.cancel()
        self._rebalancing = None
        self._seats = {name: seat for name, seat in self._seats.items() if seat.joining is not None}
        self._generation += 1
        if not self._seats:
            return
        decision = StickyShards(loaded=()).assign(
            self._cluster, {name: seat.metadata for name, seat in self._seats.items()}
        )
        for name, seat in self._seats.items():
            assert seat.joining is not None
            if not seat.joining.done():
                seat.joining.set_result((self._generation, decision[name]))
            seat.joining = None
            self._live_on(seat)


class Member:
    """One instance's place in the group, as producer/kafka/membership.py keeps it with aiokafka.

    `reachable` is whether its packets arrive; `delay` the seconds that the group's word takes.
    """

    def __init__(
        self,
        coordinator: Coordinator,
        *,
        name: str,
        loaded: Collection[int],
        on_assigned: Callable[[frozenset[int]], None],
        reachable: Callable[[], bool],
        delay: Callable[[], float],
    ) -> None:
        self._coordinator = coordinator
        self._name = name
        self._assignor = StickyShards(loaded=loaded)
        self._on_assigned = on_assigned
        self._reachable = reachable
        self._delay = delay
        self._settled = asyncio.Event()
        self._heartbeat = coordinator.heartbeat_interval

    async def run(self) -> None:
        """Be a member until cancelled."""
        while True:
            generation = await self._joined()
            while await self._beat(generation):
                pass
            self._settled.clear()

    async def settled(self) -> None:
        """As `Membership.settled`: a heartbeat later, and not in the middle of a rebalance."""
        await asyncio.sleep(self._heartbeat * 1.5)
        try:
            async with asyncio.timeout(SETTLE_BOUND):
                await self._settled.wait()
        except TimeoutError:
            pass

    def leave(self) -> None:
        """Say goodbye, if that arrives."""
        if self._reachable():
            self._coordinator.leave(self._name)

    async def _joined(self) -> int:
        while not self._reachable():  # noqa: ASYNC110 (a client asks again and again, nobody tells it)
            await asyncio.sleep(self._heartbeat)
        await asyncio.sleep(self._delay())
        generation, assignment = await self._coordinator.join(self._name, self._assignor.metadata([TOPIC]))
        await asyncio.sleep(self._delay())
        shards = frozenset(shard for _, numbers in assignment.assignment for shard in numbers)
        self._assignor.on_assignment(assignment)
        self._assignor.held = shards
        self._settled.set()
        self._on_assigned(shards)
        return generation

    async def _beat(self, generation: int) -> bool:
        await asyncio.sleep(self._heartbeat)
        return not self._reachable() or self._coordinator.heartbeat(self._name, generation)
