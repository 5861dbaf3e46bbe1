"""When a source forgets an id: long after it was last in a snapshot, and never ahead of the cursor."""

from __future__ import annotations

import pytest

from producer.core.digests import digests
from producer.model import REPORT_REACH, Cursor, Entry, SourceFold
from tests.unit.core.samples import (
    KEEP,
    a_source,
    at,
    commit,
    fold,
    forgotten,
    forgotten_dead,
    ids_of,
    polled,
    settle,
    take,
)


def test_an_id_leaves_with_a_tombstone_after_it_was_last_in_a_snapshot() -> None:
    source = a_source()
    polled(source, at(0), ["a"], dead=["x"])
    commit(source)
    polled(source, at(0), ["a", "b"], dead=["x"])
    commit(source)
    polled(source, at(KEEP - 1), ["b"])
    assert forgotten(take(source)) == []
    polled(source, at(KEEP), ["b"])
    taken = take(source)
    assert (forgotten(taken), forgotten_dead(taken)) == (["a"], ["x"])
    assert "a" in source.hits
    settle(source, taken)
    assert set(source.hits) == {"b"}


def test_ids_told_together_stay_until_the_last_of_them_has_left() -> None:
    """One record of the ledger tells them, so what memory holds is what the next owner reads."""
    source = a_source()
    polled(source, at(0), ["a", "b"])
    commit(source)
    polled(source, at(KEEP), ["b"])
    assert forgotten(commit(source)) == []
    assert not polled(source, at(2 * KEEP - 60), ["a"]).hits
    polled(source, at(3 * KEEP))
    assert forgotten(commit(source)) == ["a", "b"]


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
    polled(source, at(0), ["a"])
    commit(source)
    polled(source, at(0), ["a", "b"])
    commit(source)
    assert forgotten(take(source)) == []
    assert not polled(source, at(3 * KEEP), ["a"]).hits
    assert forgotten(take(source)) == ["b"]


def test_an_id_that_waited_through_an_outage_is_remembered_from_its_last_snapshot_on() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    polled(source, at(KEEP), ["a"])
    commit(source)
    polled(source, at(KEEP + 300))
    assert forgotten(take(source)) == []


def test_a_reread_keeps_the_last_seen_times_that_memory_had() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    told = source.hits.expired(at(9 * KEEP))
    source.restore(SourceFold(told, [], {}, Cursor(at(0).wall, None)), at(KEEP - 10))
    polled(source, at(KEEP - 5))
    assert forgotten(commit(source)) == []
    polled(source, at(KEEP))
    assert forgotten(take(source)) == ["a"]


@pytest.mark.parametrize(
    ("observed", "restored", "last_seen"),
    [
        (0, 600, 600),
        (0, REPORT_REACH, REPORT_REACH),
        (0, 5000, REPORT_REACH),
        (0, 5 * KEEP, REPORT_REACH),
        (900, 600, 600),
    ],
)
def test_a_restored_id_was_last_seen_at_its_restore_or_an_hour_after_it_was_observed(
    observed: float, restored: float, last_seen: float
) -> None:
    """Observed later than now: another owner's clock is ahead of ours."""
    source = a_source()
    source.restore(fold("a", cursor=at(0), dead="x", observed=at(observed).rfc3339()), at(restored))
    polled(source, at(max(restored, last_seen + KEEP - 2)))
    if last_seen + KEEP > restored:
        assert forgotten(commit(source)) == []
        polled(source, at(last_seen + KEEP))
    taken = take(source)
    assert (forgotten(taken), forgotten_dead(taken)) == (["a"], ["x"])


def test_a_restored_id_that_is_still_in_the_report_stays() -> None:
    source = a_source()
    source.restore(fold("a", "b", observed=at(0).rfc3339()), at(5 * KEEP))
    polled(source, at(5 * KEEP), ["a"])
    assert forgotten(commit(source)) == ["b"]


def test_an_observed_time_that_cannot_be_read_is_taken_as_now() -> None:
    source = a_source()
    source.restore(fold("a", observed="earlier"), at(5 * KEEP))
    polled(source, at(6 * KEEP - 2))
    assert forgotten(commit(source)) == []
    polled(source, at(6 * KEEP))
    assert forgotten(commit(source)) == ["a"]


def test_ids_are_forgotten_however_often_the_owner_changes() -> None:
    """Three days, an id a minute in an hour's report, another owner each 90 minutes."""
    ledger = dict[bytes, Entry]()
    source = a_source()
    for minute in range(5, 3 * 24 * 60, 5):
        now = at(60 * minute)
        if minute % 90 == 0:
            source = a_source()
            source.restore(SourceFold(list(ledger.values())), now)
        polled(source, now, [str(number) for number in range(max(0, minute - 60), minute)])
        taken = commit(source)
        new = [(portion.harvest.observed_at, portion.ids, portion.hits) for portion in taken.portions if portion.ids]
        ledger |= {seen.encode(): Entry(seen.encode(), seen, ids, b"".join(digests(hits))) for seen, ids, hits in new}
        for entry in taken.forgotten:
            del ledger[entry.observed_at.encode()]
    assert sum(len(entry.ids) for entry in ledger.values()) <= (REPORT_REACH + KEEP) / 60 + 5


def test_tombstones_that_are_too_many_for_one_transaction_go_with_the_next() -> None:
    source = a_source()
    source.restore(fold(*map(str, range(60_001))), at(0))
    polled(source, at(KEEP))
    assert len(forgotten(commit(source))) == 60_000
    polled(source, at(KEEP + 300))
    assert len(forgotten(commit(source))) == 1
    assert len(source.hits) == 0
