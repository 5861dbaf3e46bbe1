from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.duration import LONGEST, seconds, text


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("15s", 15.0),
        ("5m", 300.0),
        ("2h", 7_200.0),
        ("7d", 604_800.0),
        ("1h30m", 5_400.0),
        ("1d2h3m4.5s", 93_784.5),
        ("0.5s", 0.5),
        ("90", 90.0),
        ("1.5", 1.5),
        (" 5m ", 300.0),
        (90, 90.0),
        (0.25, 0.25),
    ],
)
def test_a_duration_is_read_as_people_write_it(written: object, meant: float) -> None:
    assert seconds(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        *("", "5 minuts", "m", "5M", "5m10", "30m1h", "1m1m", "1h 30m", "5m-10m", "-5m", "+5m", "1:30", "1e3", "60_0"),
        *("\N{ARABIC-INDIC DIGIT FIVE}s", "nan", "inf", ".5s", "5.m", "1w", "1mm", True, None, [5]),
    ],
)
def test_what_is_not_a_duration_is_refused_with_the_way_to_write_one(written: object) -> None:
    with pytest.raises(ValueError, match="is not a duration; write 15s, 5m, 2h, 7d, 1h30m or seconds"):
        seconds(written)


@pytest.mark.parametrize("written", ["0", "0s", 0, -1, "36501d", float("inf"), float("nan"), "9" * 400])
def test_zero_and_more_than_a_century_are_refused(written: object) -> None:
    with pytest.raises(ValueError, match="out of range"):
        seconds(written)


@given(st.integers(1, int(LONGEST)))
def test_a_whole_number_of_seconds_survives_being_written(value: int) -> None:
    assert seconds(text(float(value))) == value


@given(st.integers(1, 10**12))
def test_microseconds_survive_being_written(micros: int) -> None:
    assert seconds(text(micros / 1_000_000)) == micros / 1_000_000


@given(st.text())
def test_any_text_is_a_duration_or_refused(written: str) -> None:
    try:
        value = seconds(written)
    except ValueError:
        return
    assert 0 < value <= LONGEST


@given(*(st.integers(0, 9_999) for _ in range(4)))
def test_the_parts_add_up(days: int, hours: int, minutes: int, rest: int) -> None:
    total = days * 86_400 + hours * 3_600 + minutes * 60 + rest
    if 0 < total <= LONGEST:
        assert seconds(f"{days}d{hours}h{minutes}m{rest}s") == total


@pytest.mark.parametrize(
    ("value", "written"),
    [(300.0, "5m"), (5_400.0, "1h30m"), (60.0, "1m"), (604_800.0, "7d"), (0.5, "0.5s"), (0.0, "0s")],
)
def test_a_duration_is_written_as_people_write_it(value: float, written: str) -> None:
    assert text(value) == written
