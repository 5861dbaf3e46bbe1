"""One seed, or many on all cores."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from random import Random
from traceback import format_exc

from tests.simulation.plan import Plan, plan_of
from tests.simulation.processes import run_world
from tests.simulation.story import Story, Wrong
from tests.simulation.world import World


@dataclass(frozen=True, slots=True)
class Result:
    """How a seed ended; `wrong` is what broke, None if nothing did."""

    seed: int
    wrong: str | None
    fingerprint: str
    told: int
    gaps: int
    hours: float
    story: Story
    plan: Plan


def _order(seed: int) -> Random | None:
    """Half of the seeds shuffle what is ready at the same moment; the others keep asyncio's order, the real one."""
    rng = Random(f"order/{seed}")
    return rng if rng.random() < 0.5 else None


def run_seed(seed: int, *, bug: AbstractContextManager[object] | None = None) -> Result:
    """Live through a seed, with a planted bug or without."""
    plan, story = plan_of(seed), Story()
    worlds: list[World] = []

    async def live() -> None:
        worlds.append(World(plan, story))
        await worlds[0].run()

    wrong: str | None = None
    with bug or nullcontext():
        try:
            run_world(live(), order=_order(seed))
        except Wrong as error:
            wrong = str(error)
        except Exception:  # noqa: BLE001 (a crash of anything is a finding too)
            wrong = format_exc()
    ledger = worlds[0].ledger if worlds else None
    return Result(
        seed=seed,
        wrong=wrong,
        fingerprint=story.fingerprint(),
        told=len(ledger.told) if ledger else 0,
        gaps=sum(map(len, ledger.gaps.values())) if ledger else 0,
        hours=plan.duration / 3600,
        story=story,
        plan=plan,
    )
