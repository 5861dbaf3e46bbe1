"""When a source forgets an id: long after it was last in a snapshot, and never ahead of the cursor."""

from __future__ import annotations

from tests.unit.core.samples import (
    KEEP,
    a_source,
    at,
    commit,
    fold,
    ids_of,
    polled,
    take,
)


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
