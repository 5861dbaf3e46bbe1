"""The end of a world: all is well, everything is told, memory and ledger agree, and nothing is left behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeGuard

from producer.errors import Untrusted
from tests.simulation.audit import disagreements, overdue
from tests.simulation.conditions import now
from tests.simulation.story import Wrong

if TYPE_CHECKING:
    from tests.simulation.instance import Instance
    from tests.simulation.world import World

SETTLE_BOUND = 1200.0
"""Seconds in which a healed world must have told all that waits."""
SOON = 10.0
"""Seconds in which nearly every world agrees."""


async def settled(world: World) -> None:
    """Until each source's ledger has a cursor from after now, nothing waits, and owners and ledger agree."""
    began = now()
    await asyncio.sleep(world.plan.interval)
    while not _is_settled(world, began):
        world.check()
        if now() - began > SETTLE_BOUND:
            raise Wrong(f"not settled {SETTLE_BOUND:.0f} s after all was well")
        await asyncio.sleep(30.0)
    await _agreed(world)


async def refused(world: World) -> None:
    """The ledger was lost: whoever is started anew refuses it, and whoever ran has ended; nobody owns a shard."""
    began = now()
    while any(shard.restored for one in world.places if _runs(one) for shard in one.fleet.owned.values()):
        world.check()
        if now() - began > SETTLE_BOUND:
            raise Wrong(f"somebody still believes a lost ledger after {SETTLE_BOUND:.0f} s")
        await asyncio.sleep(30.0)
    for place in range(world.plan.places):
        await world.dismiss(place)
        world.launch(place)
    await asyncio.sleep(world.plan.session * 3 + 2 * world.plan.interval)
    world.check()
    if not any(isinstance(one.failed, Untrusted) for one in world.places if one is not None):
        raise Wrong("nobody said that the ledger is lost")


def _runs(one: Instance | None) -> TypeGuard[Instance]:
    return one is not None and not one.stopped


async def stopped(world: World) -> None:
    """Stop whoever runs; raises Wrong if a task, a producer or a turn of anybody's is left."""
    for place in range(world.plan.places):
        await world.retire(place)
    await asyncio.sleep(60.0)  # the last markers
    world.check()
    for instance in world.all:
        left = [task.get_name() for task in instance.process.tasks]
        held = [store for store in instance.stores if getattr(store, "_producer", None) is not None]
        if left or held or instance.turns._locks:
            raise Wrong(f"{instance.process.name} leaked: {left} {held} {instance.turns._locks}")


def _is_settled(world: World, since: float) -> bool:
    owners = [one for one in world.places if one is not None]
    covered = (world.ledger.cursor_told_at.get(server, -1.0) > since for server in world.plan.servers)
    waiting = any(shard.pending for one in owners for shard in one.fleet.owned.values())
    return all(covered) and not waiting


async def _agreed(world: World) -> None:
    """What the owners remember is what the ledger says, to the id, and no longer than they must: nothing leaked."""
    began = now()
    while wrong := disagreements(world) or overdue(
        world
    ):  # a commit is under way, or an owner does not know yet that he was fenced
        waited = now() - began
        if waited > SETTLE_BOUND:
            raise Wrong("\n".join(wrong))
        await asyncio.sleep(1.0 if waited < SOON else 30.0)  # each look compares everything
