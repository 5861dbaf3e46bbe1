"""Coverage: which time snapshots vouch for, and the gaps between."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.clock import Moment, parse_rfc3339, rfc3339
from producer.core.coverage import Coverage
from producer.core.cursor import observed_text
from producer.model import RECORD_CAP, Cursor, Gap, GapKind, Snapshot
from tests.unit.core.samples import SERVER, WINDOW, a_snapshot, at


def a_coverage(*, window: float = WINDOW) -> Coverage:
    return Coverage(server=SERVER, window=window)


def covered(coverage: Coverage, snapshot: Snapshot, ids: Collection[str] = (), new: Collection[str] = ()) -> list[Gap]:
    """The gaps a snapshot reveals, after which its time is covered."""
    gaps = coverage.gaps(snapshot, set(ids))
    coverage.advance(snapshot, new)
    return gaps


def moved(moment: Moment, *, wall: float = 0.0, boot: float = 0.0) -> Moment:
    return Moment(moment.wall + wall, moment.boot + boot)


def test_the_first_snapshot_reveals_no_gap() -> None:
    assert covered(a_coverage(), a_snapshot(at(0))) == []


def test_snapshots_within_the_window_leave_no_gap() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0), at(5)))
    assert covered(coverage, a_snapshot(at(595), at(600))) == []


def test_a_silence_longer_than_the_window_is_a_gap_from_the_earlier_request_to_what_the_later_one_reaches() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0), at(5)))
    (gap,) = covered(coverage, a_snapshot(at(900), at(903)))
    assert gap == Gap(SERVER, at(0).wall, at(303).wall, GapKind.UNPOLLED, certain=False)


def test_an_answer_that_waited_in_the_socket_vouches_only_up_to_its_request() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0), at(590)))
    (gap,) = covered(coverage, a_snapshot(at(600), at(602)))
    assert (gap.start, gap.end) == (at(0).wall, at(2).wall)


def test_an_answer_that_is_older_than_the_last_takes_nothing_back_and_adds_nothing() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(300)))
    assert coverage.advance(a_snapshot(at(0), at(310)), ["a"]) is None
    assert coverage.seconds_until_loss(at(300)) == WINDOW
    (gap,) = covered(coverage, a_snapshot(at(950), at(951)), ids=["a"])
    assert gap.start == at(300).wall


def test_a_gap_is_measured_to_the_receipt_of_the_later_answer() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0)))
    assert covered(coverage, a_snapshot(at(590), at(601))) != []


def test_a_row_that_was_new_before_and_is_still_there_proves_that_nothing_is_missing() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0)), new=["a", "b"])
    assert covered(coverage, a_snapshot(at(2000)), ids=["b", "c"]) == []


def test_a_row_that_was_not_new_before_proves_nothing() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0)), new=["a"])
    covered(coverage, a_snapshot(at(300)), ids=["a", "b"], new=["b"])
    assert covered(coverage, a_snapshot(at(2000)), ids=["a"]) != []


def test_the_rows_of_the_last_snapshot_that_had_new_ones_go_on_proving() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0)), new=["a"])
    covered(coverage, a_snapshot(at(300)), ids=["a"])
    assert covered(coverage, a_snapshot(at(2000)), ids=["a"]) == []


def test_a_gap_is_certain_once_an_hour_was_silent() -> None:
    for silent, certain in ((3600.0, False), (3600.5, True)):
        coverage = a_coverage()
        covered(coverage, a_snapshot(at(0)))
        (gap,) = covered(coverage, a_snapshot(at(silent), at(silent)))
        assert gap.certain is certain


def test_with_a_window_over_an_hour_every_gap_is_certain() -> None:
    coverage = a_coverage(window=5400)
    covered(coverage, a_snapshot(at(0)))
    assert covered(coverage, a_snapshot(at(5000))) == []
    (gap,) = coverage.gaps(a_snapshot(at(11_000)), ())
    assert gap.certain


def test_an_answer_slower_than_the_window_vouches_for_nothing() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0)))
    slow = a_snapshot(at(300), at(901))
    assert coverage.gaps(slow, ()) == []
    assert coverage.advance(slow, ["a"]) is None
    (gap,) = covered(coverage, a_snapshot(at(910), at(911)))
    assert (gap.start, gap.end) == (at(0).wall, at(311).wall)


def test_the_new_rows_of_an_answer_that_was_too_slow_prove_nothing() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0)), new=["a"])
    covered(coverage, a_snapshot(at(300), at(901)), new=["b"])
    assert covered(coverage, a_snapshot(at(2000)), ids=["b"]) != []


def test_an_answer_as_slow_as_the_window_still_vouches() -> None:
    assert a_coverage().advance(a_snapshot(at(0), at(600)), ()) is not None


def test_a_full_answer_is_a_truncated_gap_from_the_earlier_request_to_its_own() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0)), new=["a"])
    full = a_snapshot(at(300), at(330), rows=RECORD_CAP)
    assert covered(coverage, full, ids=["a"]) == [
        Gap(SERVER, at(0).wall, at(300).wall, GapKind.TRUNCATED, certain=False)
    ]


def test_a_first_answer_that_is_full_reaches_back_by_the_window() -> None:
    (gap,) = covered(a_coverage(), a_snapshot(at(0), at(10), rows=RECORD_CAP))
    assert (gap.start, gap.end, gap.kind) == (at(-590).wall, at(0).wall, GapKind.TRUNCATED)


def test_one_row_short_of_the_cap_is_not_truncated() -> None:
    assert covered(a_coverage(), a_snapshot(at(0), rows=RECORD_CAP - 1)) == []


def test_a_full_answer_after_a_silence_tells_both_gaps() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0)))
    kinds = [gap.kind for gap in covered(coverage, a_snapshot(at(2000), rows=RECORD_CAP))]
    assert kinds == [GapKind.UNPOLLED, GapKind.TRUNCATED]


def test_a_full_answer_that_was_too_slow_leaves_the_telling_to_the_next_that_vouches() -> None:
    """Its gap could go with no cursor that passes it, and would be told again after a re-read."""
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0)))
    assert covered(coverage, a_snapshot(at(300), at(1000), rows=RECORD_CAP)) == []
    assert [gap.kind for gap in covered(coverage, a_snapshot(at(1001)))] == [GapKind.UNPOLLED]


def test_asking_for_gaps_changes_nothing() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0)))
    late = a_snapshot(at(2000))
    assert coverage.gaps(late, ()) == coverage.gaps(late, ()) != []


def test_the_cursor_holds_the_request_and_the_receipt_of_the_last_new_ids() -> None:
    coverage = a_coverage()
    assert coverage.advance(a_snapshot(at(0), at(1)), ()) == Cursor(at(0).wall, None)
    assert coverage.advance(a_snapshot(at(10), at(12)), ["a"]) == Cursor(at(10).wall, at(12).wall)
    assert coverage.advance(a_snapshot(at(20), at(21)), ()) == Cursor(at(20).wall, at(12).wall)


def test_a_sleep_that_only_the_boot_clock_saw_is_a_gap() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0)))
    (gap,) = covered(coverage, a_snapshot(moved(at(10), boot=3000)))
    assert gap.end == at(11).wall - WINDOW
    assert gap.start == pytest.approx(at(11).wall - 3011)


def test_a_pause_that_only_the_wall_clock_saw_is_a_gap() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0)))
    (gap,) = covered(coverage, a_snapshot(moved(at(10), wall=3000)))
    assert (gap.start, gap.end) == (at(0).wall, at(3011).wall - WINDOW)


def test_a_wall_clock_set_back_hides_no_gap_and_turns_none_round() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0)))
    (gap,) = covered(coverage, a_snapshot(moved(at(2000), wall=-3600)))
    assert gap.end - gap.start == pytest.approx(2001 - WINDOW)


def test_a_truncated_gap_under_a_wall_clock_set_back_has_its_length() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0)))
    (gap,) = covered(coverage, a_snapshot(moved(at(300), wall=-3600), rows=RECORD_CAP))
    assert gap.end - gap.start == pytest.approx(300)


def test_a_restart_goes_on_from_the_ledgers_cursor() -> None:
    coverage = a_coverage()
    coverage.restore(at(0), observed=None, proof=())
    (gap,) = covered(coverage, a_snapshot(at(2000)))
    assert gap.start == at(0).wall


def test_after_a_restart_the_ids_that_carry_the_cursors_receipt_prove_the_overlap() -> None:
    coverage = a_coverage()
    coverage.restore(at(0), observed=at(1).wall, proof=["a"])
    assert coverage.gaps(a_snapshot(at(2000)), {"a"}) == []
    assert coverage.gaps(a_snapshot(at(2000)), {"b"}) != []


def test_after_a_restart_the_cursor_keeps_the_receipt_of_the_last_new_ids() -> None:
    coverage = a_coverage()
    coverage.restore(at(0), observed=at(1).wall, proof=["a"])
    assert coverage.advance(a_snapshot(at(20)), ()) == Cursor(at(20).wall, at(1).wall)


def test_a_reread_does_not_take_back_what_memory_covered_further() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(1000)), new=["b"])
    coverage.restore(at(0), observed=at(1).wall, proof=["a"])
    assert covered(coverage, a_snapshot(at(1500))) == []
    assert covered(coverage, a_snapshot(at(9000)), ids=["b"]) == []


def test_a_reread_takes_over_what_another_owner_covered_further() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0)), new=["b"])
    coverage.restore(at(1000), observed=at(1001).wall, proof=["a"])
    assert coverage.gaps(a_snapshot(at(1500)), ()) == []
    assert coverage.gaps(a_snapshot(at(3000)), {"a"}) == []
    assert coverage.gaps(a_snapshot(at(3000)), {"b"}) != []


def test_another_owner_is_further_although_our_boot_clock_stood_still() -> None:
    coverage = a_coverage()
    covered(coverage, a_snapshot(at(0)))
    coverage.restore(moved(at(-50), wall=3050), observed=None, proof=())
    (gap,) = coverage.gaps(a_snapshot(moved(at(10), wall=5000)), ())
    assert gap.start == at(3000).wall


def test_the_time_until_hits_are_lost_runs_from_the_last_request() -> None:
    coverage = a_coverage()
    assert coverage.seconds_until_loss(at(0)) is None
    covered(coverage, a_snapshot(at(0), at(30)))
    assert coverage.seconds_until_loss(at(100)) == pytest.approx(500)
    assert coverage.seconds_until_loss(moved(at(100), wall=-3600)) == pytest.approx(500)
    assert coverage.seconds_until_loss(at(605)) == pytest.approx(-5)


@given(st.floats(0, 4e9))
def test_the_ids_of_a_snapshot_are_found_by_the_text_that_the_cursor_gives_back(wall: float) -> None:
    text = rfc3339(wall)
    again = Moment(wall, 0).rfc3339()
    assert again == text == observed_text(Cursor(0.0, parse_rfc3339(text)))


@given(
    st.lists(
        st.tuples(st.floats(0, 4000), st.floats(0, 1500), st.sets(st.sampled_from("abcdef"))), min_size=1, max_size=12
    )
)
def test_the_time_that_is_neither_vouched_for_nor_told_is_none(polls: list[tuple[float, float, set[str]]]) -> None:
    """Without overlaps: each second from the first request to the last is vouched for, or in a gap."""
    coverage, now = a_coverage(), 0.0
    spans: list[tuple[float, float]] = []
    first: float | None = None
    for number, (pause, seconds, _) in enumerate(polls):
        now += pause
        snapshot = a_snapshot(at(now), at(now + seconds))
        spans += [(gap.start, gap.end) for gap in covered(coverage, snapshot, new=[f"{number}"])]
        if seconds <= WINDOW:
            first = at(now).wall if first is None else first
            spans.append((at(now + seconds).wall - WINDOW, at(now).wall))
        now += seconds
    reached = first
    for start, end in sorted(spans):
        if reached is not None and end > reached:
            assert start <= reached + 1e-3
            reached = end
