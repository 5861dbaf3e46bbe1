"""One source's state: what goes into a transaction, and what memory is after it succeeded, failed, or who knows."""

from __future__ import annotations

from producer.clock import Moment
from producer.model import RECORD_CAP, Cursor
from producer.source import Dropped, Source, SourceFold
from tests.unit.core.samples import KEEP, WINDOW, a_snapshot, a_source, at, commit, ids_of, polled, take, taken_in


def fold(*hits: str, cursor: Moment | None = None, dead: str = "", observed: str = "earlier") -> SourceFold:
    return SourceFold(
        dict.fromkeys(hits, observed),
        dict.fromkeys(dead, observed),
        None if cursor is None else Cursor(cursor.wall, None),
    )


def dropped_by(source: Source) -> Dropped:
    dropped = Dropped()
    source.settle(source.take(60_000, dropped))
    return dropped


def test_a_new_hit_waits_and_is_not_told_before_the_commit() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    taken = take(source)
    assert ids_of(taken) == ["a"]
    assert "a" not in source.hits
    source.settle(taken)
    assert "a" in source.hits
    assert not source.pending


def test_a_repeated_row_is_told_once() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    assert not polled(source, at(300), ["a"]).hits
    assert ids_of(take(source)) == []


def test_a_row_that_repeats_while_it_waits_is_told_once() -> None:
    source = a_source()
    polled(source, at(0), ["a"], dead=["x"])
    polled(source, at(300), ["a", "b"], dead=["x"])
    taken = take(source)
    assert (ids_of(taken), taken.rows) == (["a", "b"], 3)


def test_a_dead_row_is_told_once() -> None:
    source = a_source()
    polled(source, at(0), dead=["x"])
    commit(source)
    assert not polled(source, at(300), dead=["x"]).dead


def test_a_failed_transaction_loses_nothing_and_changes_nothing() -> None:
    source = a_source()
    polled(source, at(0), ["a"], dead=["x"])
    take(source)
    again = take(source)
    assert (ids_of(again), again.rows, again.cursor) == (["a"], 2, Cursor(at(0).wall, at(1).wall))


def test_a_hit_that_left_the_api_meanwhile_is_still_told() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    for number in range(1, 20):
        polled(source, at(300 * number))
    assert ids_of(take(source)) == ["a"]


def test_the_oldest_snapshot_goes_first_and_the_cursor_is_the_newest_that_is_whole() -> None:
    source = a_source()
    polled(source, at(0), ["a", "b"])
    polled(source, at(300), ["c", "d"])
    first = take(source, 3)
    assert ids_of(first) == ["a", "b", "c"]
    assert first.cursor == Cursor(at(0).wall, at(1).wall)
    source.settle(first)
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
    source.settle(first)
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


def test_a_slow_answers_rows_count_although_its_time_does_not() -> None:
    source = a_source()
    taken_in(source, a_snapshot(at(0), at(1 + WINDOW)), ["a"])
    taken = take(source)
    assert (ids_of(taken), taken.cursor) == (["a"], None)


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


def test_rows_that_a_reread_found_told_are_dropped_at_the_take() -> None:
    source = a_source()
    polled(source, at(0), ["a", "b"], dead=["x"])
    source.restore(fold("a", dead="x", cursor=at(100)), at(110))
    dropped = Dropped()
    taken = source.take(10, dropped)
    assert (ids_of(taken), taken.rows) == (["b"], 1)
    assert (dropped.duplicate, dropped.confirmed, dropped.superseded) == (2, 0, 0)
    assert len(source.pending) == 1


def test_rows_that_landed_in_a_commit_of_unknown_outcome_are_confirmed() -> None:
    source = a_source()
    polled(source, at(0), ["a"], dead=["x"])
    source.doubt(take(source))
    polled(source, at(100), ["b"])
    source.restore(fold("a", "b", dead="x", cursor=at(0)), at(110))
    dropped = dropped_by(source)
    assert (dropped.confirmed, dropped.duplicate, dropped.superseded) == (2, 1, 0)


def test_rows_of_an_unknown_commit_that_did_not_land_are_told() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    source.doubt(take(source))
    source.restore(fold(), at(110))
    assert ids_of(take(source)) == ["a"]


def test_a_long_outages_backlog_that_landed_is_confirmed_not_superseded() -> None:
    source = a_source()
    for number in range(40):
        polled(source, at(300 * number), [f"hit {number}"])
    taken = take(source)
    source.doubt(taken)
    source.restore(fold(*ids_of(taken), cursor=at(300 * 39)), at(300 * 40))
    dropped = dropped_by(source)
    assert (dropped.confirmed, dropped.superseded) == (40, 0)


def test_a_row_that_the_ledger_holds_is_confirmed_however_far_another_owner_came() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    source.doubt(take(source))
    source.restore(fold("a", cursor=at(KEEP)), at(KEEP + 10))
    dropped = dropped_by(source)
    assert (dropped.confirmed, dropped.superseded) == (1, 0)


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


def test_a_snapshot_asked_for_before_such_a_pause_is_superseded_too_if_it_comes_in_after_the_reread() -> None:
    source = a_source()
    later = Moment(at(3 * 3600).wall, at(10).boot)
    source.restore(fold(cursor=Moment(later.wall - 60, 0)), later)
    taken_in(source, a_snapshot(at(0), Moment(later.wall + 1, later.boot + 1)), ["a"])
    dropped = Dropped()
    assert ids_of(source.take(10, dropped)) == []
    assert dropped.superseded == 1


def test_own_rows_are_not_superseded_by_a_wall_clock_set_back() -> None:
    source = a_source()
    source.restore(fold(cursor=at(-60)), at(0))
    polled(source, at(0))
    commit(source)
    polled(source, Moment(at(-3 * 3600).wall, at(300).boot), ["a"])
    assert ids_of(take(source)) == ["a"]
    source.restore(fold(cursor=at(0)), Moment(at(300 - 3 * 3600).wall, at(600).boot))
    assert ids_of(take(source)) == ["a"]


def test_own_commits_never_supersede_an_own_backlog() -> None:
    source = a_source()
    for number in range(40):
        polled(source, at(300 * number), [f"hit {number}"])
    told = []
    while source.pending:
        dropped = Dropped()
        taken = source.take(3, dropped)
        source.settle(taken)
        told += ids_of(taken)
        assert dropped == Dropped()
    assert told == [f"hit {number}" for number in range(40)]


def test_what_waits_survives_losing_and_regaining_the_shard() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    polled(source, at(300), ["a", "b"], dead=["x"])
    source.release()
    assert "a" not in source.hits
    source.restore(fold("a", cursor=at(0)), at(400))
    taken = take(source)
    assert (ids_of(taken), taken.rows) == (["b"], 2)


def test_a_hit_told_by_the_owner_in_between_is_not_told_again() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    source.release()
    source.restore(fold("a", cursor=at(300)), at(400))
    assert dropped_by(source).duplicate == 1


def test_an_id_leaves_with_a_tombstone_after_it_was_last_in_a_snapshot() -> None:
    source = a_source()
    polled(source, at(0), ["a", "b"], dead=["x"])
    commit(source)
    polled(source, at(KEEP - 1), ["b"])
    assert take(source).forgotten_hits == []
    polled(source, at(KEEP), ["b"])
    taken = take(source)
    assert (taken.forgotten_hits, taken.forgotten_dead) == (["a"], ["x"])
    assert "a" in source.hits
    source.settle(taken)
    assert set(source.hits) == {"b"}


def test_a_forgotten_id_is_new_again() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    polled(source, at(KEEP + 1))
    commit(source)
    polled(source, at(KEEP + 300), ["a"])
    assert ids_of(take(source)) == ["a"]


def test_after_a_long_sleep_rows_are_matched_before_anything_expires() -> None:
    source = a_source()
    polled(source, at(0), ["a", "b"])
    commit(source)
    assert take(source).forgotten_hits == []
    assert not polled(source, at(3 * KEEP), ["a"]).hits
    assert take(source).forgotten_hits == ["b"]


def test_an_id_that_waited_through_an_outage_is_remembered_from_its_last_snapshot_on() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    polled(source, at(KEEP), ["a"])
    commit(source)
    polled(source, at(KEEP + 300))
    assert take(source).forgotten_hits == []


def test_a_reread_keeps_the_last_seen_times_that_memory_had() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    source.restore(fold("a", cursor=at(0)), at(KEEP - 10))
    polled(source, at(KEEP - 5))
    assert commit(source).forgotten_hits == []
    polled(source, at(KEEP))
    assert take(source).forgotten_hits == ["a"]


def test_after_a_restart_every_restored_id_counts_as_just_seen() -> None:
    source = a_source()
    source.restore(fold("a", cursor=at(0)), at(5000))
    polled(source, at(5000 + KEEP - 2))
    assert take(source).forgotten_hits == []
    polled(source, at(5000 + KEEP))
    assert take(source).forgotten_hits == ["a"]


def test_tombstones_that_are_too_many_for_one_transaction_go_with_the_next() -> None:
    source = a_source()
    source.restore(fold(*map(str, range(60_001))), at(0))
    polled(source, at(KEEP))
    assert len(commit(source).forgotten_hits) == 60_000
    polled(source, at(KEEP + 300))
    assert len(commit(source).forgotten_hits) == 1
    assert len(source.hits) == 0


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
    carried = SourceFold({"a": received.rfc3339(), "b": "earlier"}, {}, Cursor(at(0).wall, received.wall))
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
    assert (first.cursor, first.forgotten_hits) == (Cursor(at(300).wall, at(301).wall), [])
    source.settle(first)
    assert commit(source).forgotten_hits == ["a"]


def test_a_hit_told_and_forgotten_by_an_owner_who_died_in_a_backlog_is_not_told_again() -> None:
    other = a_source()
    polled(other, at(0), ["a"])
    owner = a_source()
    polled(owner, at(0), ["a"])
    told = set(ids_of(commit(owner)))
    for number in range(1, 30):
        polled(owner, at(300 * number), [f"hit {number}"])
    part = take(owner, 1)
    told = (told | set(ids_of(part))) - set(part.forgotten_hits)
    assert part.cursor_at is not None
    other.restore(fold(*told, cursor=part.cursor_at), at(9000))
    assert ids_of(take(other)) == []
