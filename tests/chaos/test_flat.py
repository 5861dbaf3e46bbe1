"""What grows over a run is found, and what goes up and down is not taken for it."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import chain

import pytest

from tests.chaos.flat import MEASURES, Sample, grown

STEADY = Sample(0.0, 60e6, 30, 1e6, 5e6, 3_000)
GROWS = {"memory": 6e6, "descriptors": 4, "ledger": 300_000, "events": 2e6, "ids": 800}
"""By what is sampled: how much more of it each minute is found in half an hour."""


def a_run(**growth: float) -> list[Sample]:
    """Half an hour; each goes up and down by a tenth in every five minutes."""
    wave = list(chain(range(6), range(4, 0, -1))) * 18
    return [
        replace(
            STEADY,
            at=10.0 * number,
            **{
                one.name: getattr(STEADY, one.name) * (1 + 0.02 * height) + growth.get(one.name, 0.0) * number / 6
                for one in fields(Sample)
                if one.name != "at"
            },
        )
        for number, height in enumerate(wave)
    ]


def test_what_goes_up_and_down_is_flat() -> None:
    assert list(grown(a_run())) == []


@pytest.mark.parametrize("name", GROWS)
def test_what_grows_is_named(name: str) -> None:
    (found,) = grown(a_run(**{name: GROWS[name]}))
    assert found.startswith(name)


def test_everything_that_is_sampled_is_held_flat() -> None:
    assert {one.name for one in fields(Sample)} - {"at"} == GROWS.keys()
    assert len(MEASURES) == len(GROWS)


def test_a_run_that_was_hardly_looked_at_says_nothing() -> None:
    assert list(grown(a_run()[:8])) == ["8 samples are too few to say what grows"]
