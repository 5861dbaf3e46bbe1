"""Pauses of Python's search for cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from producer.garbage import OBJECTS_BETWEEN, collection_paused, search_seldom


@pytest.fixture(autouse=True)
def _on_afterwards() -> Iterator[None]:
    gc.enable()
    yield
    gc.enable()


def test_the_search_is_off_within_and_on_again_after() -> None:
    with collection_paused():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_of_overlapping_pauses_the_last_to_end_switches_it_on() -> None:
    first, second = collection_paused(), collection_paused()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_an_error_ends_a_pause() -> None:
    with pytest.raises(ValueError, match="within"), collection_paused():
        raise ValueError("within")
    assert gc.isenabled()


def test_who_switched_it_off_finds_it_off() -> None:
    gc.disable()
    with collection_paused():
        pass
    assert not gc.isenabled()


def test_a_service_is_searched_seldom_and_all_the_same() -> None:
    before, searched = gc.get_threshold(), list[str]()
    gc.collect()
    search_seldom()
    gc.callbacks.append(lambda phase, _: searched.append(phase))
    try:
        some: list[list[int]] = [[] for _ in range(OBJECTS_BETWEEN - 1_000)]
        assert searched == []
        more: list[list[int]] = [[] for _ in range(2_000)]
        assert searched == ["start", "stop"]
        assert some
        assert more
    finally:
        gc.callbacks.pop()
        gc.set_threshold(*before)
