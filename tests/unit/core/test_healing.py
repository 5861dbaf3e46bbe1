"""Which gaps wait to be healed, since when, and when a history is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.clock import rfc3339
from producer.core.healing import LONGEST_WAIT, SHORTEST_PAUSE, Agreement, Healing, agreement
from producer.core.ledger import gap_key
from producer.model import Gap, GapKind, Hit, OpenGap
from tests.unit.core.samples import SERVER, a_hit, a_taken, at

DELAY = 1200.0


def a_gap(start: float = 0.0, end: float = 900.0, kind: GapKind = GapKind.UNPOLLED) -> Gap:
    return Gap(SERVER, at(start).wall, at(end).wall, kind, certain=False)


def waits(gap: Gap, told: float = 1000.0) -> OpenGap:
    return OpenGap(gap, at(told).rfc3339())


def a_healing(*gaps: OpenGap, delay: float | None = DELAY) -> Healing:
    healing = Healing(delay=delay)
    healing.restore(gaps)
    return healing


def dated(key: str, seconds: float) -> Hit:
    return {**a_hit(key), "occurred_at": rfc3339(at(seconds).wall)}


def test_gaps_stay_as_they_are_unless_they_are_to_be_healed() -> None:
    told = [(a_gap(), at(1000).rfc3339())]
    assert Healing(delay=None).opened(told) == []
    assert Healing(delay=DELAY).opened(told) == [waits(a_gap())]


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_that_begin_at_one_moment_the_longer_waits(turned: bool) -> None:  # noqa: FBT001
    outage, cut = a_gap(end=600), a_gap(end=1000, kind=GapKind.TRUNCATED)
    told = [(outage, at(1000).rfc3339()), (cut, at(1000).rfc3339())]
    assert Healing(delay=DELAY).opened(told[::-1] if turned else told) == [waits(cut)]


def test_a_gap_waits_from_its_commit_on() -> None:
    healing = a_healing()
    assert healing.first() is None
    healing.settle(a_taken(opened=[waits(a_gap())]))
    assert healing.first() == (at(1000 + DELAY).wall, waits(a_gap()))


def test_the_one_that_is_due_first_comes_first() -> None:
    later, sooner = waits(a_gap(5), told=2000), waits(a_gap(6), told=1000)
    healing = a_healing(later, sooner)
    assert healing.first() == (at(1000 + DELAY).wall, sooner)
    healing.retry(sooner, at(9000).wall)
    assert healing.first() == (at(2000 + DELAY).wall, later)


def test_what_is_put_off_waits_as_long_again_as_it_has_waited_and_an_hour_at_least() -> None:
    one = waits(a_gap())
    healing, due = a_healing(one), 1000 + DELAY
    assert healing.put_off(one, at(due).wall) == at(due + SHORTEST_PAUSE).wall
    assert healing.put_off(one, at(due + 5 * 3600).wall) == at(due + 10 * 3600).wall
    assert healing.first() == (at(due + 10 * 3600).wall, one)


def test_what_waited_a_month_is_given_up_and_its_record_goes() -> None:
    one = waits(a_gap())
    healing = a_healing(one)
    assert healing.put_off(one, at(1000 + DELAY + LONGEST_WAIT).wall) is None
    assert healing.first() is None
    assert healing.tombstones() == [gap_key(one.gap)]
    healing.settle(a_taken(tombstones=[b"other"]))
    assert len(healing) == 1
    healing.settle(a_taken(tombstones=healing.tombstones()))
    assert (len(healing), healing.tombstones()) == (0, [])


def test_what_was_put_off_stays_so_when_the_ledger_is_read_again_and_not_when_the_shard_comes_back() -> None:
    one = waits(a_gap())
    healing = a_healing(one)
    again = healing.put_off(one, at(5000).wall)
    healing.restore([one])
    assert healing.first() == (again, one)
    healing.clear()
    assert healing.first() is None
    healing.restore([one])
    assert healing.first() == (at(1000 + DELAY).wall, one)


def test_what_another_owner_healed_is_not_remembered() -> None:
    one = waits(a_gap())
    healing = a_healing(one)
    healing.put_off(one, at(5000).wall)
    healing.restore([])
    healing.restore([one])
    assert healing.first() == (at(1000 + DELAY).wall, one)


def test_who_heals_no_gaps_waits_for_none_and_takes_their_records_out_of_the_ledger() -> None:
    one = waits(a_gap())
    healing = a_healing(one, delay=None)
    assert (len(healing), healing.first(), healing.tombstones()) == (0, None, [gap_key(one.gap)])
    healing.settle(a_taken(tombstones=healing.tombstones()))
    assert healing.tombstones() == []


def test_failures_in_a_row_are_counted_for_each_gap_until_it_is_put_off() -> None:
    one, other = waits(a_gap(5)), waits(a_gap(6))
    healing = a_healing(one, other)
    assert [healing.failed(one), healing.failed(one), healing.failed(other)] == [1, 2, 1]
    healing.put_off(one, at(5000).wall)
    assert [healing.failed(one), healing.failed(other)] == [1, 2]


def test_each_reading_of_the_ledger_is_another() -> None:
    healing = a_healing()
    before = healing.reading
    healing.restore([])
    healing.clear()
    assert healing.reading == before + 2


def test_hits_of_any_gap_prove_nothing_and_those_without_a_moment_neither() -> None:
    one = waits(a_gap(5000, 6000))
    healing = a_healing(one, waits(a_gap(3000, 4000)))
    hits = [dated("before", 2999), dated("in another", 3500), dated("after it", 4001), dated("in it", 5500)]
    hits += [dated("of the second in which it began", 2999.5), dated("or in which another did", 4999.5)]
    undated: Hit = {**a_hit("undated"), "occurred_at": None}
    found = healing.comparable(one, [*hits, dated("later", 7000), undated])
    assert found == {"before": at(2999).wall, "after it": at(4001).wall}


def test_time_before_the_first_hit_that_is_told_is_not_judged() -> None:
    hits = {f"{number}": float(number) for number in range(20)}
    assert agreement(hits, {f"{number}" for number in range(10, 20)}) == Agreement(found=10, told=10)
    assert agreement(hits, {"15", "19"}) == Agreement(found=5, told=2)
    assert agreement(hits, set()) == Agreement(found=20, told=0)
    assert agreement({}, {"1"}) == Agreement(found=0, told=0)


@pytest.mark.parametrize(
    ("found", "told", "holds"),
    [(5, 5, True), (10, 9, True), (10, 8, False), (4, 4, False), (0, 0, False), (6, 5, False), (100, 90, True)],
)
def test_nine_of_ten_and_five_at_least_must_be_told(found: int, told: int, holds: bool) -> None:  # noqa: FBT001
    assert Agreement(found, told).holds is holds


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1e6)), st.sets(st.text(max_size=3)))
def test_agreement_counts_each_hit_once_and_all_that_are_told(hits: dict[str, float], told: set[str]) -> None:
    found = agreement(hits, told)
    assert found.told == len(hits.keys() & told)
    assert found.told <= found.found <= len(hits)
