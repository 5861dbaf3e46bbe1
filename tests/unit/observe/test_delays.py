from __future__ import annotations

from producer.observe.delays import BOUNDS, Delays


def test_each_delay_is_counted_in_every_bucket_that_reaches_it() -> None:
    delays = Delays()
    delays.observe({0.5: 1, 1.0: 1, 1.5: 1, 299.0: 2, 9999.0: 1})
    counts = dict(delays.cumulative())
    assert (counts["1.0"], counts["5.0"], counts["300.0"], counts["+Inf"]) == (2, 3, 5, 6)
    assert delays.sum == 0.5 + 1.0 + 1.5 + 2 * 299.0 + 9999.0


def test_a_delay_below_nought_never_lowers_the_sum() -> None:
    delays = Delays()
    delays.observe({-30.0: 1})
    assert delays.sum == 0
    assert dict(delays.cumulative())["1.0"] == 1


def test_the_last_bucket_holds_all() -> None:
    assert len(Delays().cumulative()) == len(BOUNDS) + 1
