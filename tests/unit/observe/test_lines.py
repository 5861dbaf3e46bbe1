from __future__ import annotations

from producer.observe.lines import Repeats


def test_so_many_pass_and_the_rest_waits_for_the_next_interval() -> None:
    repeats = Repeats(limit=2, interval=60)
    assert [repeats.admit("a", now=now) for now in (0, 1, 2, 59, 60, 61, 62)] == [0, 0, None, None, 2, 0, None]


def test_keys_do_not_share_their_limit() -> None:
    repeats = Repeats(limit=1, interval=60)
    assert [repeats.admit(key, now=0) for key in ("a", "b", "a")] == [0, 0, None]
