"""The search for garbage in cycles, put off while many objects without any are made.

Python looks for cycles at every 700 objects that stay, through all that the process holds. What a parser or a
transaction makes has none: half a million lists took 0.7 s with the search and 0.1 s without.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

OBJECTS_BETWEEN = 10_000
"""For `search_seldom`. The first full snapshot is searched once then, and not eight times, which took 16 ms; what is in
a cycle stays a little longer."""

_lock = Lock()
_pauses = 0
_was_on = False


def search_seldom() -> None:
    """For the whole process: a service makes few cycles, and each search reads the long lists of a snapshot again."""
    gc.set_threshold(OBJECTS_BETWEEN, *gc.get_threshold()[1:])


@contextmanager
def collection_paused() -> Iterator[None]:
    """No search meanwhile, in any thread; pauses may overlap, the last to end switches it on again."""
    _begin()
    try:
        yield
    finally:
        _end()


def _begin() -> None:
    global _pauses, _was_on  # noqa: PLW0603  (the collector is one for the process, and so is what is known of it)
    with _lock:
        if _pauses == 0:
            _was_on = gc.isenabled()
            gc.disable()
        _pauses += 1


def _end() -> None:
    global _pauses  # noqa: PLW0603  (as above)
    with _lock:
        _pauses -= 1
        if _pauses == 0 and _was_on:
            gc.enable()
