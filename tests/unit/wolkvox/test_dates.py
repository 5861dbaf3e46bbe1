"""The report's dates: which moment each form of them names, and which texts name none."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.clock import Moment, parse_rfc3339
from producer.model import Reading
from producer.wolkvox.dates import REMEMBERED, moments_of, occurred_at
from producer.wolkvox.reader import RowReader
from tests.unit.wolkvox.calls import ROW
from tests.unit.wolkvox.snapshots import BOGOTA, OBSERVED, body_of, hit_of, snapshot_of

SANTIAGO = ZoneInfo("America/Santiago")
"""Its clock went from 24:00 back to 23:00 on 2026-04-04, and from 24:00 on to 01:00 on 2026-09-05."""
NUUK = ZoneInfo("America/Nuuk")


def read(*rows: Any, zone: ZoneInfo = BOGOTA, observed: str = OBSERVED) -> Reading:
    """What rows become that were received then."""
    wall = parse_rfc3339(observed)
    snapshot = replace(snapshot_of(body_of(*rows)), received=Moment(wall, wall))
    reader = RowReader(server="0042", zone=zone)
    return reader.read(reader.identify(snapshot, known=frozenset()).hits, snapshot)


FORMS = [
    ("20260118201332", "2026-01-18T20:13:32-05:00"),
    ("2026-01-18 20:13:32", "2026-01-18T20:13:32-05:00"),
    ("2026-01-18T20:13:32", "2026-01-18T20:13:32-05:00"),
    ("2026-01-18t20:13:32", "2026-01-18T20:13:32-05:00"),
    ("20260118T201332", "2026-01-18T20:13:32-05:00"),
    ("20260118 201332", "2026-01-18T20:13:32-05:00"),
    ("2026/01/18 20:13:32", "2026-01-18T20:13:32-05:00"),
    ("18/01/2026 20:13:32", "2026-01-18T20:13:32-05:00"),
    ("18/01/2026 20:13", "2026-01-18T20:13:00-05:00"),
    ("8/1/2026 7:03", "2026-01-08T07:03:00-05:00"),
    ("18-01-2026 20:13:32", "2026-01-18T20:13:32-05:00"),
    ("18.01.2026 20:13", "2026-01-18T20:13:00-05:00"),
    ("2026-01-19 01:13:32 UTC", "2026-01-19T01:13:32+00:00"),
    ("20260119011332 gmt", "2026-01-19T01:13:32+00:00"),
    ("2026-01-18 20:13", "2026-01-18T20:13:00-05:00"),
    ("2026-01-18T20:13", "2026-01-18T20:13:00-05:00"),
    ("202601182013", "2026-01-18T20:13:00-05:00"),
    (" 2026-01-18 20:13:32\n", "2026-01-18T20:13:32-05:00"),
    ("2026-01-18 20:13:32.5", "2026-01-18T20:13:32.500000-05:00"),
    ("2026-01-18T20:13:32,123", "2026-01-18T20:13:32.123000-05:00"),
    ("2026-01-18T20:13:32.123456789", "2026-01-18T20:13:32.123456-05:00"),
    ("2026-01-18T20:13:32.000", "2026-01-18T20:13:32-05:00"),
    ("20260118201332.250", "2026-01-18T20:13:32.250000-05:00"),
    ("18/01/2026 20:13:32.25", "2026-01-18T20:13:32.250000-05:00"),
    ("2026-01-19T01:13:32Z", "2026-01-19T01:13:32+00:00"),
    ("2026-01-19t01:13:32z", "2026-01-19T01:13:32+00:00"),
    ("2026-01-19 01:13:32 Z", "2026-01-19T01:13:32+00:00"),
    ("2026-01-19T01:13:32.5Z", "2026-01-19T01:13:32.500000+00:00"),
    ("20260119T011332Z", "2026-01-19T01:13:32+00:00"),
    ("20260119011332Z", "2026-01-19T01:13:32+00:00"),
    ("2026-01-18T20:13:32-05:00", "2026-01-18T20:13:32-05:00"),
    ("2026-01-18 22:13:32-03:00", "2026-01-18T22:13:32-03:00"),
    ("2026-01-18T22:13:32-0300", "2026-01-18T22:13:32-03:00"),
    ("2026-01-18T22:13:32-03", "2026-01-18T22:13:32-03:00"),
    ("2026-01-19T06:43:32+05:30", "2026-01-19T06:43:32+05:30"),
    ("2026-01-18T20:13-05:00", "2026-01-18T20:13:00-05:00"),
    ("18/01/2026 20:13:32 -05:00", "2026-01-18T20:13:32-05:00"),
    ("99991231235959", "9999-12-31T23:59:59-05:00"),
    ("20240229000000", "2024-02-29T00:00:00-05:00"),
]


@pytest.mark.parametrize(("date", "moment"), FORMS)
def test_a_date_is_a_moment_in_the_zone_or_with_the_offset_that_it_brings(date: str, moment: str) -> None:
    for row in (ROW | {"date": date}, ROW | {"date": date, "agent": "x"}):  # an ordinary row, and an odd one
        reading = read(row)
        [hit] = reading.hits.values()
        assert (hit["date"], hit["occurred_at"], reading.dates_unparsed) == (date, moment, 0)


def test_a_date_that_is_a_number_is_a_date() -> None:
    assert hit_of(ROW | {"date": 20260118201332})["occurred_at"] == "2026-01-18T20:13:32-05:00"


@pytest.mark.parametrize(
    "date",
    ["garbage", " ", "0", "2026-01-18", "20260118", "18/01/2026", "20:13:32", "00000000000000", "0000-00-00 00:00:00",
     "20261318201332", "20260230000000", "2026-02-30 00:00", "20260118240000", "20260118201360", "2026-01-18 20:60",
     "01/18/2026 20:13:32", "18/01/26 20:13:32", "18/01/2026 8:13:32 PM", "18/01/2026 8:13:32 p. m.", "1768785212",
     "2026-01-18T20:13:32-25:00", "2026-01-18T20:13:32+05:60", "2026-01-18T20:13:32 COT", "2026-01-18T20:13:32.",
     "2026-01-18 20:13:32.1234567890", "20260118201\u0663\u0663\u0662", "2026-01-18  20:13:32" + " " * 100,
     "20260118201332" * 1000, "00010101000000", "18990101000000"],
)  # fmt: skip
def test_a_date_that_can_not_be_read_leaves_the_moment_open_and_is_counted(date: str) -> None:
    for row in (ROW | {"date": date}, ROW | {"date": date, "agent": "x"}):
        reading = read(row)
        [hit] = reading.hits.values()
        assert (hit["date"], hit["occurred_at"], reading.dates_unparsed) == (date, None, 1)


@pytest.mark.parametrize("date", ["", None])
def test_no_date_is_no_moment_and_is_not_counted(date: str | None) -> None:
    reading = read(ROW | {"date": date})
    [hit] = reading.hits.values()
    assert (hit["date"], hit["occurred_at"], reading.dates_unparsed) == (date, None, 0)


def test_the_zone_decides_the_offset() -> None:
    assert occurred_at("20260718201332", SANTIAGO, OBSERVED) == "2026-07-18T20:13:32-04:00"
    assert occurred_at("20260118201332", SANTIAGO, OBSERVED) == "2026-01-18T20:13:32-03:00"
    assert occurred_at("20260118201332", ZoneInfo("UTC"), OBSERVED) == "2026-01-18T20:13:32+00:00"


TWICE = [
    # Before the clock was set back, and after it.
    ("20260404233000", SANTIAGO, "2026-04-05T02:31:00Z", "2026-04-04T23:30:00-03:00"),
    ("20260404233000", SANTIAGO, "2026-04-05T03:31:00Z", "2026-04-04T23:30:00-04:00"),
    ("04/04/2026 23:30", SANTIAGO, "2026-04-05T03:31:00Z", "2026-04-04T23:30:00-04:00"),
    ("2026-04-04T23:30:00.5", SANTIAGO, "2026-04-05T03:31:00Z", "2026-04-04T23:30:00.500000-04:00"),
    ("20260404233000", SANTIAGO, "2026-04-05T12:00:00Z", "2026-04-04T23:30:00-04:00"),
    ("20260404233000", SANTIAGO, "2026-04-05T01:00:00Z", "2026-04-04T23:30:00-03:00"),
    ("2026-04-04T23:30:00-03:00", SANTIAGO, "2026-04-05T03:31:00Z", "2026-04-04T23:30:00-03:00"),
    # The clock was set on over this time: written by a clock that had not been, or by one that already was.
    ("20260906003000", SANTIAGO, "2026-09-06T04:31:00Z", "2026-09-06T00:30:00-04:00"),
    ("20260906003000", SANTIAGO, "2026-09-06T03:31:00Z", "2026-09-06T00:30:00-03:00"),
    # No such hour at all.
    ("20260404223000", SANTIAGO, "2026-04-05T03:31:00Z", "2026-04-04T22:30:00-03:00"),
    ("20260405003000", SANTIAGO, "2026-04-05T03:31:00Z", "2026-04-05T00:30:00-04:00"),
    ("20241026233000", NUUK, "2024-10-27T01:31:00Z", "2024-10-26T23:30:00-02:00"),
]


@pytest.mark.parametrize(("date", "zone", "observed", "moment"), TWICE)
def test_of_two_readings_the_one_nearer_to_the_observation_counts(
    date: str, zone: ZoneInfo, observed: str, moment: str
) -> None:
    rows = [ROW | {"conn_id": "a", "date": date}, ROW | {"conn_id": "b", "date": date}]
    for extra in ({}, {"agent": "x"}):
        reading = read(*(row | extra for row in rows), zone=zone, observed=observed)
        assert [hit["occurred_at"] for hit in reading.hits.values()] == [moment, moment]
        assert reading.dates_unparsed == 0


def test_the_same_date_reads_otherwise_in_a_later_snapshot() -> None:
    found = [
        read(ROW | {"date": "20260404233000"}, zone=SANTIAGO, observed=observed).hits[ROW["conn_id"]]["occurred_at"]
        for observed in ("2026-04-05T02:31:00Z", "2026-04-05T03:31:00Z", "2026-04-05T02:31:00Z")
    ]
    assert found == ["2026-04-04T23:30:00-03:00", "2026-04-04T23:30:00-04:00", "2026-04-04T23:30:00-03:00"]


def test_long_texts_are_not_remembered_and_the_others_not_without_end() -> None:
    moments = moments_of(ZoneInfo("America/Lima"))
    for number in range(3 * REMEMBERED):
        assert moments[f"date {number} " + "x" * 50] is None
    assert len(moments) == 0
    for number in range(3 * REMEMBERED):
        assert moments[f"2026-01-18 20:13:32.{number:06}"] is not None
        assert len(moments) <= REMEMBERED


@given(
    st.datetimes().map(lambda when: when.strftime("%Y%m%d%H%M%S")) | st.text(max_size=20),
    st.sampled_from([BOGOTA, SANTIAGO]),
)
def test_each_moment_is_rfc_3339(date: str, zone: ZoneInfo) -> None:
    moment = occurred_at(date, zone, OBSERVED)
    assert moment is None or (parse_rfc3339(moment) and len(moment) in {25, 32})


@given(
    st.from_regex(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?",
        fullmatch=True,
    )
)
def test_whatever_looks_like_a_date_is_a_moment_or_none(date: str) -> None:
    moment = hit_of(json.dumps(ROW | {"date": date}).encode())["occurred_at"]
    assert moment is None or parse_rfc3339(moment)


CHANGES = {
    "America/Santiago": ["20260404", "20260405", "20260905", "20260906"],
    "America/Nuuk": ["20260328", "20261024", "20261025"],
    "Australia/Lord_Howe": ["20260405", "20261004"],  # by half an hour
}
"""Days on which a clock changes, or the day before."""


@pytest.mark.parametrize(("zone", "day"), [(zone, day) for zone, days in CHANGES.items() for day in days])
def test_fourteen_digits_name_the_moment_that_the_same_clock_names_with_blanks(zone: str, day: str) -> None:
    moments = moments_of(ZoneInfo(zone))
    for minute in range(24 * 60):
        hours, minutes = f"{minute // 60:02}", f"{minute % 60:02}"
        digits, spelt = f"{day}{hours}{minutes}07", f"{day} {hours}{minutes}07"
        assert moments[digits] == moments[spelt]


class Asked(ZoneInfo):
    """A zone that counts how often it is asked."""

    times = 0

    def utcoffset(self, dt: datetime | None, /) -> timedelta | None:
        Asked.times += 1
        return super().utcoffset(dt)


def test_an_hour_of_seconds_costs_two_looks_into_the_zone() -> None:
    moments, before = moments_of(Asked("America/Bogota")), Asked.times
    for second in range(3600):
        assert moments[f"2026011820{second // 60:02}{second % 60:02}"] is not None
    assert Asked.times - before < 20
