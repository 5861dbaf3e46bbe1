"""The plan of a run is its seed's, and leaves enough brokers."""

from __future__ import annotations

from itertools import pairwise

from producer.demo.simulator.faults import FAULTS as KNOWN
from tests.chaos.plan import BROKER, FAULTS, INSTANCE, Kind, plan


def test_a_seed_has_one_plan_and_another_seed_another() -> None:
    assert plan(7, seconds=60) == plan(7, seconds=60)
    assert plan(7, seconds=60) != plan(8, seconds=60)


def test_a_longer_run_begins_as_a_shorter_one() -> None:
    for short, long in zip(plan(7, seconds=60), plan(7, seconds=600), strict=True):
        assert long[: len(short)] == short


def test_a_lane_has_one_trouble_at_a_time() -> None:
    for lane in plan(7, seconds=600):
        assert all(earlier.at + earlier.seconds < later.at for earlier, later in pairwise(lane))
        assert all(trouble.at < 600 for trouble in lane)


def test_ten_minutes_have_every_kind() -> None:
    kinds = {trouble.kind for seed in range(3) for lane in plan(seed, seconds=600) for trouble in lane}
    assert kinds == set(Kind) == {*INSTANCE, *BROKER, Kind.API}


def test_the_apis_faults_are_the_simulators() -> None:
    assert {name.partition(":")[0] for name in FAULTS} <= KNOWN.keys()
