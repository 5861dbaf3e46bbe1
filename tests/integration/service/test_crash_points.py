"""SIGKILL between any two steps of a poll: the next life publishes exactly what is missing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.integration.service.conftest import Open
from tests.integration.service.crash_points import POLLING, TAKING
from tests.integration.service.stage import Stage
from tests.integration.service.together import together

pytestmark = pytest.mark.kafka

AFTER_THE_COMMIT = ("committed", "settled")
THIRDS = 3
"""Stages side by side: most of a life is waiting."""


async def test_a_kill_between_any_two_steps_of_a_poll_neither_loses_nor_doubles(stages: Open) -> None:
    """Each life first tells what its predecessor left untold of the very same snapshot, then dies one step further."""
    lives = [die_at_each(await stages(), POLLING[part::THIRDS]) for part in range(THIRDS)]
    await together(*lives, die_while_taking(await stages()))


async def die_at_each(stage: Stage, steps: Sequence[str]) -> None:
    """Life after life on one stage."""
    stage.clock.stop()
    for step in steps:
        instance = await stage.start(f"dies at {step}", at=f"KILL:{step}", KAFKA_GROUP_INSTANCE_ID="one")
        await instance.until("poll_done", new=0, pending=0)
        before = await stage.assert_exactly_once()
        known = before.ids
        stage.clock.advance(2.0)
        assert await instance.ended() == -9
        found = await stage.audit()
        shown, said = (
            stage.simulator.shown,
            found.said | {key: list(words) for key, words in stage.simulator.said.items()},
        )
        assert shown > known, f"{step}: no hit was at stake"
        assert any(said[key] != words for key, words in before.said.items()), f"{step}: no change was at stake"
        if step == "committing":  # asked for and not answered: either is right
            assert (found.ids, found.said) in ((known, before.said), (shown, said))
        else:
            assert (found.ids, found.said) == ((shown, said) if step in AFTER_THE_COMMIT else (known, before.said)), (
                step
            )
    last = await stage.start("the last", KAFKA_GROUP_INSTANCE_ID="one")
    await last.until("poll_done", new=0, pending=0)
    await last.stop()
    await stage.assert_exactly_once()


async def die_while_taking(stage: Stage) -> None:
    """After the transactional id was taken, in the middle of the ledger, before memory has it."""
    stage.clock.stop()
    first = await stage.start("first", KAFKA_GROUP_INSTANCE_ID="one")
    await first.until("poll_done", new=0, pending=0)
    await first.kill()
    for step in TAKING:
        stage.clock.advance(2.0)
        instance = await stage.start(f"dies at {step}", at=f"KILL:{step}", KAFKA_GROUP_INSTANCE_ID="one")
        assert await instance.ended() == -9
        assert not instance.told("poll_done")
    last = await stage.start("the last", KAFKA_GROUP_INSTANCE_ID="one")
    await last.until("poll_done", new=0, pending=0)
    await last.stop()
    await stage.assert_exactly_once()
