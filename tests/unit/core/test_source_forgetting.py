"""When a source forgets an id: long after it was last in a snapshot, and never ahead of the cursor."""

from __future__ import annotations

import pytest

from producer.model import REPORT_REACH, SourceFold
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
        assert commit(source).forgotten_hits == []
        polled(source, at(last_seen + KEEP))
    taken = take(source)
    assert (taken.forgotten_hits, taken.forgotten_dead) == (["a"], ["x"])


def test_a_restored_id_that_is_still_in_the_report_stays() -> None:
    source = a_source()
    source.restore(fold("a", "b", observed=at(0).rfc3339()), at(5 * KEEP))
    polled(source, at(5 * KEEP), ["a"])
    assert commit(source).forgotten_hits == ["b"]


def test_an_observed_time_that_cannot_be_read_is_taken_as_now() -> None:
    source = a_source()
    source.restore(fold("a", observed="earlier"), at(5 * KEEP))
    polled(source, at(6 * KEEP - 2))
    assert commit(source).forgotten_hits == []
    polled(source, at(6 * KEEP))
    assert commit(source).forgotten_hits == ["a"]


def test_ids_are_forgotten_however_often_the_owner_changes() -> None:
    """Three days, an id a minute in an hour's report, another owner each 90 minutes."""
    ledger = dict[str, str]()
    source = a_source()
    for minute in range(5, 3 * 24 * 60, 5):
        now = at(60 * minute)
        if minute % 90 == 0:
            source = a_source()
            source.restore(SourceFold(dict(ledger)), now)
        polled(source, now, [str(number) for number in range(max(0, minute - 60), minute)])
        taken = commit(source)
        ledger |= {key: portion.harvest.observed_at for portion in taken.portions for key in portion.ids}
        for key in taken.forgotten_hits:
            del ledger[key]
    assert len(ledger) <= (REPORT_REACH + KEEP) / 60 + 5


def test_tombstones_that_are_too_many_for_one_transaction_go_with_the_next() -> None:
    source = a_source()
    source.restore(fold(*map(str, range(60_001))), at(0))
    polled(source, at(KEEP))
    assert len(commit(source).forgotten_hits) == 60_000
    polled(source, at(KEEP + 300))
    assert len(commit(source).forgotten_hits) == 1
    assert len(source.hits) == 0
