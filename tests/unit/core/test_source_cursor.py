"""One source's cursor and gaps: told once, never ahead of their rows, whatever the clocks did."""

from __future__ import annotations

import pytest

from producer.clock import Moment
from producer.model import RECORD_CAP, Cursor, Dropped, SourceFold
from tests.unit.core.samples import (
    KEEP,
    WINDOW,
    a_snapshot,
    a_source,
    an_entry,
    at,
    commit,
    fold,
    forgotten,
    ids_of,
    polled,
    settle,
    take,
    taken_in,
)


def test_the_oldest_snapshot_goes_first_and_the_cursor_is_the_newest_that_is_whole() -> None:
    source = a_source()
    polled(source, at(0), ["a", "b"])
    polled(source, at(300), ["c", "d"])
    first = take(source, 3)
    assert ids_of(first) == ["a", "b", "c"]
    assert first.cursor == Cursor(at(0).wall, at(1).wall)
    settle(source, first)
    second = take(source, 3)
    assert (ids_of(second), second.cursor) == (["d"], Cursor(at(300).wall, at(301).wall))


def test_no_cursor_goes_before_the_last_new_row_of_its_snapshot() -> None:
    source = a_source()
    polled(source, at(0), ["a", "b"])
    assert take(source, 1).cursor is None
    polled(source, at(300))
    assert take(source, 1).cursor is None


def test_a_gap_goes_only_with_the_cursor_that_passes_it() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    polled(source, at(2000), ["b", "c"])
    first = take(source, 2)
    assert (first.gaps, first.cursor) == ([], Cursor(at(0).wall, at(1).wall))
    settle(source, first)
    second = take(source, 2)
    assert [gap.start for gap, _ in second.gaps] == [at(0).wall]
    assert second.cursor == Cursor(at(2000).wall, at(2001).wall)


def test_every_gap_goes_with_a_cursor_also_that_of_a_slow_and_full_answer() -> None:
    source = a_source()
    polled(source, at(0))
    commit(source)
    taken_in(source, a_snapshot(at(300), at(301 + WINDOW), rows=RECORD_CAP), ["a"])
    taken = take(source)
    assert (taken.gaps, taken.cursor) == ([], None)


def test_a_gap_is_told_once_also_if_its_commits_outcome_was_unknown() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    polled(source, at(2000), ["b"])
    taken = take(source)
    assert len(taken.gaps) == 1
    source.doubt(taken)
    source.restore(fold("a", "b", cursor=at(2000)), at(2010))
    assert take(source).gaps == []


def test_a_gap_whose_commit_did_not_land_is_told_by_the_next() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    polled(source, at(2000), ["b"])
    source.doubt(take(source))
    source.restore(fold("a", cursor=at(0)), at(2010))
    taken = take(source)
    assert (len(taken.gaps), ids_of(taken)) == (1, ["b"])


def test_a_gap_that_only_the_wall_clock_saw_is_told() -> None:
    """A paused machine: its CLOCK_BOOTTIME stood still, the wall clock was set right afterwards."""
    source = a_source()
    polled(source, at(0))
    commit(source)
    polled(source, Moment(at(3000).wall, at(10).boot))
    assert len(take(source).gaps) == 1


def test_a_gap_is_told_also_if_the_wall_clock_was_set_back_meanwhile() -> None:
    source = a_source()
    polled(source, at(0))
    commit(source)
    polled(source, Moment(at(-3000).wall, at(1000).boot))
    assert len(take(source).gaps) == 1


def test_a_gap_is_told_although_the_wall_clock_was_set_back_and_the_ledger_read_again() -> None:
    source = a_source()
    polled(source, at(0))
    commit(source)
    polled(source, Moment(at(-3000).wall, at(1000).boot))
    assert not source.restore(fold(cursor=at(0)), Moment(at(-2990).wall, at(1010).boot))
    assert len(take(source).gaps) == 1


def test_another_owner_who_told_a_gap_told_it_for_us() -> None:
    source = a_source()
    polled(source, at(0))
    commit(source)
    polled(source, at(2000))
    source.restore(fold(cursor=at(2100)), at(2110))
    assert take(source).gaps == []


def test_a_gap_that_ends_at_or_before_another_owners_cursor_is_his_to_tell() -> None:
    for reached, gaps in ((1400.9, 1), (1401.0, 0)):
        source = a_source()
        polled(source, at(0))
        commit(source)
        (gap,) = polled(source, at(2000)).gaps
        assert gap.end == at(1401).wall
        source.restore(fold(cursor=at(reached)), at(2010))
        assert len(take(source).gaps) == gaps


def test_a_gap_is_told_also_if_the_wall_clock_was_set_back_while_the_answer_came() -> None:
    source = a_source()
    polled(source, at(0))
    commit(source)
    taken_in(source, a_snapshot(at(2000), Moment(at(-1600).wall, at(2001).boot)))
    assert len(take(source).gaps) == 1


def test_no_cursor_is_set_back_behind_another_owners() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    source.restore(fold(cursor=at(300)), at(310))
    taken = take(source)
    assert (ids_of(taken), taken.cursor) == (["a"], None)


def test_no_cursor_is_set_back_although_our_boot_clock_stood_still() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    source.restore(fold(cursor=Moment(at(1700).wall, 0)), Moment(at(1800).wall, at(10).boot))
    assert take(source).cursor is None


def test_rows_from_long_before_another_owners_cursor_are_dropped_and_counted() -> None:
    """He may have told them and already forgotten them."""
    source = a_source()
    polled(source, at(0), ["a"], dead=["x"])
    polled(source, at(200), ["b"])
    source.restore(fold(cursor=at(100 + KEEP / 2)), at(110 + KEEP / 2))
    dropped = Dropped()
    assert ids_of(source.take(10, dropped)) == ["b"]
    assert dropped.superseded == 2


def test_rows_from_exactly_half_a_dedup_window_before_the_cursor_are_kept() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    source.restore(fold(cursor=at(KEEP / 2)), at(KEEP / 2))
    assert ids_of(take(source)) == ["a"]


def test_another_owners_cursor_supersedes_although_our_boot_clock_stood_still() -> None:
    """A machine paused for three hours: the other owner told our rows, and forgot them after two."""
    source = a_source()
    polled(source, at(0), ["a"])
    later = Moment(at(3 * 3600).wall, at(10).boot)
    source.restore(fold(cursor=Moment(later.wall - 60, 0)), later)
    dropped = Dropped()
    assert ids_of(source.take(10, dropped)) == []
    assert dropped.superseded == 1


def test_a_cursor_ahead_of_our_clock_is_told_and_taken_as_now() -> None:
    source = a_source()
    assert source.restore(fold(cursor=at(100)), at(100))
    assert not source.restore(fold(cursor=at(5000)), at(200))
    assert source.coverage.seconds_until_loss(at(200)) == WINDOW
    (gap,) = polled(source, at(3000)).gaps
    assert gap.start == at(200).wall
    assert take(source).cursor == Cursor(at(3000).wall, None)


def test_after_a_restart_a_row_that_carries_the_cursors_receipt_proves_the_overlap() -> None:
    received = at(1)
    entries = [an_entry("a", received.rfc3339()), an_entry("b", "earlier")]
    carried = SourceFold(entries, [], {}, Cursor(at(0).wall, received.wall))
    for ids, gaps in ((["a"], 0), (["b"], 1), ([], 1)):
        source = a_source()
        source.restore(carried, at(2000))
        assert len(polled(source, at(2010), ids).gaps) == gaps


def test_without_a_cursor_in_the_ledger_nothing_is_behind_or_superseded() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    source.restore(fold(), at(3 * KEEP))
    taken = take(source)
    assert (ids_of(taken), taken.cursor) == (["a"], Cursor(at(0).wall, at(1).wall))


def test_no_tombstone_goes_ahead_of_the_cursor() -> None:
    """Or another owner could find an id gone and a cursor so old that his waiting rows are not superseded."""
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    for number in range(1, 30):
        polled(source, at(300 * number), [f"hit {number}", f"also {number}"])
    first = take(source, 3)
    assert (first.cursor, forgotten(first)) == (Cursor(at(300).wall, at(301).wall), [])
    settle(source, first)
    assert forgotten(commit(source)) == ["a"]


def test_a_day_without_kafka_and_without_hits_waits_as_one_cursor() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    for second in range(1, 86_400):
        polled(source, at(second), ["a"])
    assert len(list(source.pending.harvests())) == 1
    assert commit(source).cursor == Cursor(at(86_399).wall, at(1).wall)
    assert not source.pending


def test_a_cursor_that_came_while_another_was_committed_goes_next() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    polled(source, at(300))
    taken = take(source)
    polled(source, at(600))
    settle(source, taken)
    assert commit(source).cursor == Cursor(at(600).wall, at(1).wall)


@pytest.mark.parametrize("landed", [0, 300])
def test_a_cursor_in_doubt_is_ours_also_when_a_later_one_took_its_place(landed: int) -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    polled(source, at(300))
    source.doubt(take(source))
    polled(source, at(2000))
    source.restore(fold("a", cursor=at(landed)), at(2010))
    taken = take(source)
    assert taken.cursor == Cursor(at(2000).wall, at(1).wall)
    assert [(gap.start, gap.end) for gap, _ in taken.gaps] == [(at(300).wall, at(2001 - WINDOW).wall)]


def test_what_was_no_beginning_tells_its_gap_although_quiet_snapshots_came_after_it() -> None:
    source = a_source()
    polled(source, at(1400))
    polled(source, at(1700))
    polled(source, at(2000))
    source.restore(fold("a", cursor=at(0)), at(2010))
    taken = take(source)
    assert [(gap.start, gap.end) for gap, _ in taken.gaps] == [(at(0).wall, at(1401 - WINDOW).wall)]
    assert taken.cursor == Cursor(at(2000).wall, None)


def test_a_gap_that_another_owner_covered_is_not_told_by_us() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    polled(source, at(2000), ["b"])
    source.restore(fold("a", cursor=at(1950)), at(2010))
    dropped = Dropped()
    assert (source.take(9, dropped).gaps, dropped.gaps) == ([], [])


def test_a_gap_of_a_transaction_in_doubt_is_confirmed_once_if_the_ledger_has_it() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    polled(source, at(2000), ["b"])
    taken = take(source)
    ((gap, _),) = taken.gaps
    source.doubt(taken)
    source.restore(fold("a", "b", cursor=at(2000)), at(2010))
    first, again = Dropped(), Dropped()
    source.take(9, first)
    source.take(9, again)
    assert (first.gaps, again.gaps) == ([gap], [])


def test_a_gap_in_doubt_that_did_not_land_is_told_and_not_confirmed() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    polled(source, at(2000), ["b"])
    source.doubt(take(source))
    source.restore(fold("a", cursor=at(0)), at(2010))
    dropped = Dropped()
    assert len(source.take(9, dropped).gaps) == 1
    assert dropped.gaps == []
