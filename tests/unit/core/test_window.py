"""The window: what has been told, for as long as the API may repeat it."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from producer.clock import Moment
from producer.core.window import Window
from producer.model import Entry
from tests.unit.core.samples import at

IDS = st.sets(st.sampled_from("abcdef"))


def entry(*ids: str, key: str = "") -> Entry:
    return Entry((key or "/".join(ids)).encode(), "2026-01-19T00:00:00.000000Z", ids)


def names(entries: Iterable[Entry]) -> list[str]:
    return [name for one in entries for name in one.ids]


def told(window: Window, ids: str, seconds: float) -> None:
    """Each id in a transaction of its own."""
    window.remember([entry(name) for name in ids], at(seconds))


def test_an_id_is_known_once_it_was_told() -> None:
    window = Window(keep=100)
    told(window, "a", 0)
    assert "a" in window
    assert "b" not in window
    assert (len(window), list(window)) == (1, ["a"])


def test_seeing_an_unknown_id_does_not_make_it_told() -> None:
    window = Window(keep=100)
    window.touch({"a"}, at(0))
    assert "a" not in window


def test_an_id_expires_when_it_was_last_in_a_snapshot_so_long_ago() -> None:
    window = Window(keep=100)
    told(window, "a", 0)
    assert window.expired(at(99.9)) == []
    assert names(window.expired(at(100))) == ["a"]


def test_an_id_that_is_seen_again_starts_anew() -> None:
    window = Window(keep=100)
    told(window, "ab", 0)
    window.touch({"a"}, at(60))
    assert names(window.expired(at(120))) == ["b"]


def test_ids_told_together_expire_together_when_the_last_of_them_does() -> None:
    window = Window(keep=100)
    window.remember([entry("a", "b")], at(0))
    window.touch({"b"}, at(60))
    assert window.expired(at(120)) == []
    assert names(window.expired(at(160))) == ["a", "b"]


def test_nothing_is_forgotten_by_asking_what_expired() -> None:
    window = Window(keep=100)
    told(window, "a", 0)
    window.expired(at(500))
    assert "a" in window
    assert names(window.expired(at(500))) == ["a"]


def test_a_forgotten_id_is_new_again() -> None:
    window = Window(keep=100)
    gone = entry("a")
    window.remember([gone, entry("b")], at(0))
    window.forget([gone, entry("never there")])
    assert set(window) == {"b"}


def test_what_a_later_entry_tells_too_stays_when_the_earlier_goes() -> None:
    first, second = entry("a", "b", key="first"), entry("a", key="second")
    told_here, restored = Window(keep=100), Window(keep=100)
    told_here.remember([first, second], at(0))
    restored.restore([first, second], lambda _: at(0))
    for window in (told_here, restored):
        window.forget([first])
        assert set(window) == {"a"}


def test_a_restored_entry_has_the_moment_that_is_said_of_it() -> None:
    window = Window(keep=100)
    seen = {b"a": at(950), b"b": at(1000)}
    window.restore([entry("a"), entry("b")], lambda one: seen[one.key])
    assert window.expired(at(1049)) == []
    assert names(window.expired(at(1050))) == ["a"]
    assert names(window.expired(at(1100))) == ["a", "b"]


def test_a_reread_keeps_the_last_seen_time_of_what_memory_already_had() -> None:
    window = Window(keep=100)
    told(window, "a", 0)
    window.restore([entry("a"), entry("b")], lambda _: at(90))
    assert names(window.expired(at(120))) == ["a"]


def test_a_reread_lets_go_of_ids_that_the_ledger_lacks() -> None:
    window = Window(keep=100)
    told(window, "a", 0)
    window.restore([entry("b")], lambda _: at(1))
    assert set(window) == {"b"}


def test_a_cleared_window_knows_nothing() -> None:
    window = Window(keep=100)
    told(window, "a", 0)
    window.clear()
    assert len(window) == 0
    assert window.expired(at(1000)) == []


def test_the_ids_that_were_first_seen_at_a_time_are_those_of_its_entries() -> None:
    window = Window(keep=100)
    window.remember([entry("a", "b"), Entry(b"c", "later", ["c"])], at(0))
    assert window.carrying("later") == {"c"}
    assert window.carrying("2026-01-19T00:00:00.000000Z") == {"a", "b"}
    assert window.carrying("never") == frozenset()


def test_a_wall_clock_set_back_keeps_no_id_longer() -> None:
    window = Window(keep=100)
    told(window, "a", 0)
    later = at(100)
    assert names(window.expired(Moment(later.wall - 3600, later.boot))) == ["a"]


def test_a_machine_that_stood_still_forgets_by_the_wall_clock() -> None:
    window = Window(keep=100)
    told(window, "a", 0)
    assert names(window.expired(Moment(at(100).wall, at(1).boot))) == ["a"]


@given(st.lists(st.tuples(st.sampled_from(["remember", "touch", "forget", "restore"]), IDS), max_size=30))
def test_the_window_is_a_map_from_entry_to_its_last_snapshot(steps: list[tuple[str, set[str]]]) -> None:
    """Entries of two ids: a and b, c and d, e and f."""
    all_entries = [entry("a", "b"), entry("c", "d"), entry("e", "f")]
    window, model = Window(keep=10), dict[Entry, int]()
    for now, (step, ids) in enumerate(steps):
        of_ids = [one for one in all_entries if ids & set(one.ids)]
        if step == "remember":
            window.remember(of_ids, at(now))
            model |= dict.fromkeys(of_ids, now)
        elif step == "touch":
            window.touch(ids, at(now))
            model |= {one: now for one in of_ids if one in model}
        elif step == "forget":
            window.forget(of_ids)
            model = {one: seen for one, seen in model.items() if one not in of_ids}
        else:
            window.restore(of_ids, lambda _, now=now: at(now))  # type: ignore[misc]
            model = {one: model.get(one, now) for one in of_ids}
        assert set(window) == set(names(model))
        assert len(window) == 2 * len(model)
        assert set(window.expired(at(now))) == {one for one, seen in model.items() if now - seen >= 10}
