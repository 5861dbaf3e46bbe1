"""What the simulation found, each with the seed that showed it and the promise that it broke."""

from __future__ import annotations

from producer.model import GapKind
from tests.simulation.run import run_seed
from tests.unit.core.samples import a_source, at, commit, fold, polled, take


def test_what_another_owner_covered_is_no_part_of_a_gap_told_later() -> None:
    """Paused and fenced, an owner told a gap from its own last poll on, as another owner had done before."""
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    polled(source, at(1400))
    source.restore(fold("a", cursor=at(700)), at(1402))
    ((gap, _),) = take(source).gaps
    assert (gap.kind, gap.start, gap.end) == (GapKind.UNPOLLED, at(700).wall, at(801).wall)


def test_what_is_left_of_a_certain_gap_is_certain_only_if_it_alone_would_be() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    polled(source, at(7000))
    source.restore(fold("a", cursor=at(6000)), at(7002))
    ((gap, _),) = take(source).gaps
    assert not gap.certain


def test_no_two_gaps_have_the_same_identity() -> None:
    """The first seed, in today's plan, in which this broke the promise."""
    assert run_seed(179).wrong is None
