"""One source's state: what goes into a transaction, and what memory is after it succeeded, failed, or who knows."""

from __future__ import annotations

from producer.model import Cursor
from tests.unit.core.samples import (
    WINDOW,
    a_snapshot,
    a_source,
    at,
    commit,
    ids_of,
    polled,
    settle,
    take,
    taken_in,
)


def test_a_new_hit_waits_and_is_not_told_before_the_commit() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    taken = take(source)
    assert ids_of(taken) == ["a"]
    assert "a" not in source.hits
    settle(source, taken)
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


def test_a_slow_answers_rows_count_although_its_time_does_not() -> None:
    source = a_source()
    taken_in(source, a_snapshot(at(0), at(1 + WINDOW)), ["a"])
    taken = take(source)
    assert (ids_of(taken), taken.cursor) == (["a"], None)
