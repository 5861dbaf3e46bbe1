"""What the stream of simulated hits promises: fixed for ever, a rolling window, late rows, plausible and fictitious."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from producer.demo.simulator.callcentre import CallCentre, versions
from tests.unit.demo.simulated_time import NOW

CENTRE = CallCentre(seed=7, rate=2.0, window=600.0, late=0.1)


def test_two_runs_of_one_seed_agree_on_every_hit() -> None:
    assert CENTRE.hits(NOW) == replace(CENTRE).hits(NOW)


def test_a_hit_does_not_depend_on_when_it_is_asked_for() -> None:
    earlier = {hit.number: hit for hit in CENTRE.hits(NOW)}
    later = {hit.number: hit for hit in CENTRE.hits(NOW + 200)}

    both = earlier.keys() & later.keys()
    assert len(both) > 700
    assert all(earlier[number] == later[number] for number in both)


def test_another_seed_is_another_stream() -> None:
    assert not {hit.conn_id for hit in replace(CENTRE, seed=8, late=0).hits(NOW) if "." in hit.conn_id} & {
        hit.conn_id for hit in CENTRE.hits(NOW)
    }


def test_a_hit_is_in_the_report_from_its_visibility_until_the_window_has_passed() -> None:
    hit = next(hit for hit in CENTRE.hits(NOW) if hit.visible_at > hit.occurred_at)

    assert hit not in CENTRE.hits(hit.visible_at - 0.001)
    assert hit in CENTRE.hits(hit.visible_at)
    assert hit in CENTRE.hits(hit.occurred_at + 599.9)
    assert hit not in CENTRE.hits(hit.occurred_at + 600.1)


def test_the_report_holds_rate_times_window_rows() -> None:
    assert len(replace(CENTRE, late=0.0).hits(NOW)) == pytest.approx(1200, abs=2)


def test_the_share_of_late_rows_is_as_asked_for_and_none_is_late_for_more_than_half_the_window() -> None:
    hits = [CENTRE.hit(number) for number in range(4000)]
    delays = [hit.visible_at - hit.occurred_at for hit in hits if hit.visible_at > hit.occurred_at]

    assert 300 < len(delays) < 500
    assert min(delays) >= 1 - 1e-6
    assert 150 < max(delays) <= 180 + 1e-6
    assert max(short.visible_at - short.occurred_at for short in map(replace(CENTRE, window=60).hit, range(999))) <= 30


def test_nothing_is_typified_late_unless_asked_for() -> None:
    assert not any(CENTRE.hit(number).later or not CENTRE.hit(number).row["hit"] for number in range(1000))


def test_the_share_of_calls_typified_late_is_as_asked_for_and_some_are_corrected() -> None:
    hits = [replace(CENTRE, typify_late=0.5, typify_by=9.0).hit(number) for number in range(4000)]
    said = [[row["hit"] for _, row in versions(hit)] for hit in hits if hit.later]
    assert 1600 < len(said) < 2000  # half of those whose row is not late
    assert {codes[0] for codes in said} == {""}
    assert all(one and other and one != other for _, one, *rest in said for other in rest)
    assert 0.25 < sum(len(codes) == 3 for codes in said) / len(said) < 0.42
    for moments in ([since for since, _ in versions(hit)] for hit in hits):
        assert all(1 - 1e-6 <= after - before <= 9 + 1e-6 for before, after in pairwise(moments))


def test_a_call_typified_late_ends_as_it_would_have_begun() -> None:
    for number in range(500):
        last = versions(replace(CENTRE, typify_late=1.0).hit(number))[-1][1]
        assert last == CENTRE.hit(number).row


def test_a_report_shows_a_row_as_it_stands() -> None:
    centre = replace(CENTRE, late=0.0, typify_late=1.0)
    hit = next(hit for hit in centre.hits(NOW) if len(hit.later) == 2)
    for since, code in [(hit.visible_at, ""), *hit.later]:
        (row,) = (row for row in centre.rows(since) if row["conn_id"] == hit.conn_id)
        assert row == hit.row | {"hit": code}


def test_late_rows_appear_among_rows_that_were_already_shown() -> None:
    before = {hit.number for hit in CENTRE.hits(NOW)}
    new = [hit.number for hit in CENTRE.hits(NOW + 30) if hit.number not in before]

    assert any(number < max(before) for number in new)


def test_nothing_occurs_before_the_start_or_from_the_end_on() -> None:
    centre = replace(CENTRE, start=NOW, end=NOW + 100)

    assert centre.hits(NOW - 1) == []
    assert len(centre.hits(NOW + 50)) > 50
    assert all(NOW <= hit.occurred_at < NOW + 100 for hit in centre.hits(NOW + 599))
    assert len(centre.hits(NOW + 599)) == 200
    assert centre.hits(NOW + 700) == []


@pytest.mark.parametrize("rate", [0.05, 1.0, 500.0])
def test_ids_are_unique_whatever_the_rate(rate: float) -> None:
    ids = [hit.conn_id for hit in CallCentre(rate=rate, window=40.0).hits(NOW)]

    assert len(set(ids)) == len(ids)


def test_every_value_has_the_shape_that_was_seen_of_the_api() -> None:
    shapes = {
        "conn_id": r"\d{4}\.\d{4}\.\d{4}\.\d{10}\.\d{1,4}|\d{9}",
        "type_interaction": r"[A-Za-z_ ]+",
        "date": r"20260118\d{6}",
        "telephone": r"9?(57)?300000\d{4}",
        "customer_id": r"(10000\d{5})?",
        "hit": r"[A-ZÓa-z ]+",
    }
    for row in CENTRE.rows(NOW):
        assert row.keys() == shapes.keys()
        assert all(re.fullmatch(shape, row[field]) for field, shape in shapes.items()), row


def test_the_variety_of_the_api_is_there() -> None:
    rows = CENTRE.rows(NOW)

    assert {row["type_interaction"] for row in rows} >= {"inbound", "OUTBOUND_MA", "out_pre", "transfer"}
    assert {row["hit"] for row in rows} >= {"VENTA EFECTIVA", "PROMESA DE PAGO"}
    assert {row["telephone"][:-10] for row in rows} == {"", "9", "57", "957"}
    assert any(row["customer_id"] == "" for row in rows)
    assert any("." not in row["conn_id"] for row in rows)


def test_the_date_is_the_time_of_the_call_in_bogota() -> None:
    centre = CallCentre(rate=1.0, start=NOW)

    assert centre.hit(0).row["date"] == "20260118193332"


@pytest.mark.parametrize(
    "wrong", [{"rate": 0.0}, {"rate": 10_001.0}, {"window": 0.0}, {"late": 1.5}, {"typify_late": -0.1}]
)
def test_values_that_make_no_stream_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong)).replace("_", "-")):
        replace(CENTRE, **wrong)  # type: ignore[arg-type]  # one of three float fields, by name
