"""Imports that a start waits for: nearly all of its half second are these."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

from producer.garbage import collection_paused

COLOURS = ("rich", "pygments")
"""For importing(without=...): httpx has a command line and structlog tracebacks, both in colour if these are there.
Neither is for us, and they would take a tenth of a start."""


@contextmanager
def importing(*, without: Sequence[str] = ()) -> Iterator[None]:
    """No search for garbage while modules are imported, and none later through what they made, which stays as long as
    the process. Of the service's imports, 0.39 s, the search was 45 ms.

    The packages in `without` are hidden meanwhile, as if they were not installed, unless they are imported already.
    """
    hidden = [name for name in without if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # Python's own way to say so
    try:
        with collection_paused():
            yield
    finally:
        for name in hidden:
            del sys.modules[name]
    gc.freeze()


def remember_absent(name: str) -> None:
    """If a package is not installed, let whoever tries to import it be told so at once: Python would look through all
    its paths each time."""
    if find_spec(name) is None:
        sys.modules[name] = None  # type: ignore[assignment]  # as above
