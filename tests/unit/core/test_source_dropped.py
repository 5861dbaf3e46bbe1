"""What a take drops, and counts: told already, ours after all, or overtaken by another owner."""

from __future__ import annotations

from producer.clock import Moment
from producer.model import Dropped
from tests.unit.core.samples import (
    KEEP,
    a_snapshot,
    a_source,
    at,
    commit,
    dropped_by,
    fold,
    forgotten,
    ids_of,
    polled,
    settle,
    take,
    taken_in,
)


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
        settle(source, taken)
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


def test_a_hit_told_and_forgotten_by_an_owner_who_died_in_a_backlog_is_not_told_again() -> None:
    other = a_source()
    polled(other, at(0), ["a"])
    owner = a_source()
    polled(owner, at(0), ["a"])
    told = set(ids_of(commit(owner)))
    for number in range(1, 30):
        polled(owner, at(300 * number), [f"hit {number}"])
    part = take(owner, 1)
    told = (told | set(ids_of(part))) - set(forgotten(part))
    assert part.cursor_at is not None
    other.restore(fold(*told, cursor=part.cursor_at), at(9000))
    assert ids_of(take(other)) == []
