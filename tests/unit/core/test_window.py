"""The window: what has been told, for as long as the API may repeat it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from producer.clock import Moment
from producer.core.window import Window
from tests.unit.core.samples import at

IDS = st.sets(st.sampled_from("abcdef"))


def test_an_id_is_known_once_it_was_told() -> None:
    window = Window(keep=100)
    window.remember(["a"], at(0))
    assert "a" in window
    assert "b" not in window
    assert (len(window), list(window)) == (1, ["a"])


def test_seeing_an_unknown_id_does_not_make_it_told() -> None:
    window = Window(keep=100)
    window.touch({"a": None}.keys(), at(0))
    assert "a" not in window


def test_an_id_expires_when_it_was_last_in_a_snapshot_so_long_ago() -> None:
    window = Window(keep=100)
    window.remember(["a"], at(0))
    assert window.expired(at(99.9)) == []
    assert window.expired(at(100)) == ["a"]


def test_an_id_that_is_seen_again_starts_anew() -> None:
    window = Window(keep=100)
    window.remember(["a", "b"], at(0))
    window.touch({"a": None}.keys(), at(60))
    assert window.expired(at(120)) == ["b"]


def test_nothing_is_forgotten_by_asking_what_expired() -> None:
    window = Window(keep=100)
    window.remember(["a"], at(0))
    window.expired(at(500))
    assert "a" in window
    assert window.expired(at(500)) == ["a"]


def test_a_forgotten_id_is_new_again() -> None:
    window = Window(keep=100)
    window.remember(["a", "b"], at(0))
    window.forget(["a", "never there"])
    assert set(window) == {"b"}


def test_a_restored_id_has_the_moment_of_what_the_ledger_says_of_it() -> None:
    window = Window(keep=100)
    window.restore({"a": "earlier", "b": "later"}, {"earlier": at(950), "later": at(1000)})
    assert window.expired(at(1049)) == []
    assert window.expired(at(1050)) == ["a"]
    assert sorted(window.expired(at(1100))) == ["a", "b"]


def test_a_reread_keeps_the_last_seen_time_of_ids_that_memory_already_had() -> None:
    window = Window(keep=100)
    window.remember(["a"], at(0))
    window.restore({"a": "now", "b": "now"}, {"now": at(90)})
    assert window.expired(at(120)) == ["a"]


def test_a_reread_lets_go_of_ids_that_the_ledger_lacks() -> None:
    window = Window(keep=100)
    window.remember(["a"], at(0))
    window.restore({"b": ""}, {"": at(1)})
    assert set(window) == {"b"}


def test_a_cleared_window_knows_nothing() -> None:
    window = Window(keep=100)
    window.remember(["a"], at(0))
    window.clear()
    assert len(window) == 0
    assert window.expired(at(1000)) == []


def test_a_wall_clock_set_back_keeps_no_id_longer() -> None:
    window = Window(keep=100)
    window.remember(["a"], at(0))
    later = at(100)
    assert window.expired(Moment(later.wall - 3600, later.boot)) == ["a"]


def test_a_machine_that_stood_still_forgets_by_the_wall_clock() -> None:
    window = Window(keep=100)
    window.remember(["a"], at(0))
    assert window.expired(Moment(at(100).wall, at(1).boot)) == ["a"]


def test_a_steady_stream_leaves_no_moments_behind() -> None:
    window = Window(keep=100)
    for number in range(1000):
        window.remember([str(number)], at(number))
        window.forget(window.expired(at(number)))
    assert len(window._moments) <= 110


@given(st.lists(st.tuples(st.sampled_from(["remember", "touch", "forget", "restore"]), IDS), max_size=30))
def test_the_window_is_a_map_from_id_to_its_last_snapshot(steps: list[tuple[str, set[str]]]) -> None:
    window, model = Window(keep=10), dict[str, int]()
    for now, (step, ids) in enumerate(steps):
        if step == "remember":
            window.remember(ids, at(now))
            model |= dict.fromkeys(ids, now)
        elif step == "touch":
            window.touch(dict.fromkeys(ids).keys(), at(now))
            model |= {key: now for key in ids if key in model}
        elif step == "forget":
            window.forget(ids)
            model = {key: seen for key, seen in model.items() if key not in ids}
        else:
            window.restore(dict.fromkeys(ids, ""), {"": at(now)})
            model = {key: model.get(key, now) for key in ids}
        assert set(window) == model.keys()
        assert len(window) == len(model)
        assert set(window.expired(at(now))) == {key for key, seen in model.items() if now - seen >= 10}
