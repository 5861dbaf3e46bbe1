"""The short form of `make chaos`: three brokers, two instances, half a minute of troubles that overlap."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.run import Chaos

SEED, SECONDS = 1, 30.0


@pytest.mark.kafka
@pytest.mark.timeout(420)
async def test_half_a_minute_of_chaos_loses_and_doubles_nothing(tmp_path: Path) -> None:
    outcome = await Chaos(seed=SEED, seconds=SECONDS, folder=tmp_path, say=print).run()
    assert not outcome.verdict.wrong, "\n".join([*outcome.verdict.wrong, *outcome.story])
    assert outcome.verdict.shown > 100
    assert len({trouble.kind for trouble in outcome.troubles}) >= 4
