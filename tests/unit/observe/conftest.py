"""Log lines caught as they are written, and the process's logging put back afterwards."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from producer.clock import Moment
from producer.observe import logs
from producer.observe.logs import LIBRARIES, LibraryLines


class HandClock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.wall = 1_768_782_812.0
        self.boot = 1000.0

    def now(self) -> Moment:
        return Moment(self.wall, self.boot)

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.boot += seconds


class Written(io.StringIO):
    """What was logged."""

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Each JSON line, parsed."""
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def written() -> Written:
    return Written()


@pytest.fixture(autouse=True)
def logging_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`configure` sets the whole process: each test gets an unconfigured one."""
    monkeypatch.setattr(logs, "_lines", logs._Lines())
    levels = {name: logging.getLogger(name).level for name in LIBRARIES}
    with warnings.catch_warnings():
        yield
        logging.captureWarnings(False)
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, LibraryLines)]:
        root.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
