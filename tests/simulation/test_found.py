"""What the simulation found, each with the seed that showed it and the promise that it broke."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from producer.clock import Moment
from producer.core.settlement import Settlement
from producer.model import Cursor, GapKind, SourceFold
from tests.simulation.run import run_seed
from tests.unit.core.samples import a_source, an_entry, at, commit, fold, ids_of, polled, take


def test_what_another_owner_covered_is_no_part_of_a_gap_told_later() -> None:
    """Paused and fenced, an owner told a gap from its own last poll on, as another owner had done before."""
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    polled(source, at(1400))
    source.restore(fold("a", cursor=at(700)), at(1402))
    ((gap, _),) = take(source).gaps
    assert (gap.kind, gap.start, gap.end) == (GapKind.UNPOLLED, at(700).wall, at(801).wall)


@pytest.mark.parametrize("set_by", [1200.0, -90.0])
def test_the_same_although_our_wall_clock_was_set_before_the_ledger_was_read(set_by: float) -> None:
    """Reckoned back from a clock that was set since, the other's cursor lay before the gap, which was told whole."""
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    polled(source, at(1400))
    source.restore(fold("a", cursor=at(700)), Moment(at(1402).wall + set_by, at(1402).boot))
    ((gap, _),) = take(source).gaps
    assert gap.start - at(700).wall == pytest.approx(0, abs=0.001)
    assert gap.end == at(801).wall


def test_a_gap_that_was_told_up_to_another_owners_cursor_is_not_told_again_after_a_clock_was_set() -> None:
    """The seed that showed it."""
    assert run_seed(22051).wrong is None


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


def test_a_first_snapshot_that_waits_tells_what_another_owners_beginning_leaves_open() -> None:
    """An owner began with an empty ledger, was fenced, and found the beginning of another in it.

    What lay between the two was covered by nobody, and told by nobody.
    """
    assert run_seed(3212).wrong is None


@pytest.mark.parametrize(("begun", "kinds"), [(0, [GapKind.UNPOLLED]), (1100, []), (1420, [])])
def test_a_beginning_that_was_not_one_tells_its_gap(begun: int, kinds: list[GapKind]) -> None:
    source = a_source()
    source.restore(fold(), at(0))
    polled(source, at(1400), ["b"])
    source.restore(fold("a", cursor=at(begun)), at(1430))
    taken = take(source)
    assert [gap.kind for gap, _ in taken.gaps] == kinds
    assert ids_of(taken) == ["b"]
    for gap, _ in taken.gaps:
        assert (gap.start, gap.end, gap.certain) == (at(0).wall, at(1401 - 600).wall, False)


def test_an_id_that_both_beginnings_showed_proves_that_nothing_is_between_them() -> None:
    source = a_source()
    source.restore(fold(), at(0))
    polled(source, at(1400), ["a", "b"])
    source.restore(SourceFold([an_entry("a", at(1).rfc3339())], [], {}, Cursor(at(0).wall, at(1).wall)), at(1430))
    assert take(source).gaps == []


def test_words_that_were_dropped_with_an_earlier_snapshot_go_with_the_later_one_that_showed_them() -> None:
    """The seed that showed it, one of thousands: three processes took a shard from one another between two polls."""
    assert run_seed(22675).wrong is None
    with patch.object(Settlement, "_pass_on", lambda *_: None):
        assert "was last told as" in str(run_seed(22675).wrong)
