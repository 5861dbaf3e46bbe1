"""Pauses of Python's search for cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from producer.garbage import collection_paused


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
