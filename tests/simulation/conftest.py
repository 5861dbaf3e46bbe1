"""The process's logging put back after a script that took all of its lines."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator

import pytest

from producer.observe import logs
from producer.observe.logs import LIBRARIES, LibraryLines


@pytest.fixture
def own_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`configure` sets the whole process: the test gets an unconfigured one."""
    monkeypatch.setattr(logs, "_lines", logs._Lines())
    levels = {name: logging.getLogger(name).level for name in LIBRARIES}
    with warnings.catch_warnings():
        yield
        logging.captureWarnings(False)
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, LibraryLines)]:
        root.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
