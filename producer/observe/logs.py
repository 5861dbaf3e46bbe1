"""Log lines: JSON in production, for people on a terminal.

    get_logger(name).info("poll_done", server=…)  -> documented? -> repeated? -> time and level -> one line
    aiokafka, httpx, asyncio … (logging)          -> "library_message" ----^

Every line is a fact of facts.py. An unknown name or field is a defect: it raises while nobody has called `configure`
(tests) or where it was called with `strict`, and is left out and told in production.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Literal, TextIO

import structlog

from producer.clock import Clock, SystemClock
from producer.observe.facts import ANYWHERE, FACTS, LEVELS, Fact, Level
from producer.observe.lines import Documented, Limited, Quiet, Repeats, Stamped
from producer.observe.plain import foreign, raised

Format = Literal["json", "console", "auto"]

LIBRARIES: Final = ("aiokafka", "httpx", "httpcore", "uvicorn", "uvicorn.error", "uvicorn.access", "asyncio")
"""At debug aiokafka and httpx print whole requests, telephones and credentials included, so LOG_LEVEL is not theirs."""


class Undocumented(Exception):
    """A log line that facts.py has no row for."""


class Logger:
    """Writes facts; each method is the level that facts.py gives the fact, so that a call reads as what it does."""

    def __init__(self, name: str) -> None:
        self._name = name

    def debug(self, event: str, **fields: object) -> None:
        self._write("debug", event, fields)

    def info(self, event: str, **fields: object) -> None:
        self._write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        self._write("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        self._write("error", event, fields)

    def _write(self, level: Level, event: str, fields: dict[str, object]) -> None:
        fact = FACTS.get(event)
        if _lines.strict:
            _insist(event, fact, level, fields)
        if fact is None:
            fact, fields = FACTS["undocumented"], {"message": event}
        _lines.write(fact, {"logger": self._name, **fields})


def get_logger(name: str) -> Logger:
    """The logger of a module (`get_logger(__name__)`); may be called before `configure`."""
    return Logger(name)


@contextmanager
def context(**fields: str | int) -> Iterator[None]:
    """Inside, every line of this task and of those it starts carries `fields` (of ANYWHERE): a poll's id, a server."""
    unknown = fields.keys() - set(ANYWHERE)
    if unknown:
        raise Undocumented(f"context may be {', '.join(ANYWHERE)}, not {', '.join(sorted(unknown))}")
    with structlog.contextvars.bound_contextvars(**fields):
        yield


def configure(
    *,
    level: str = "info",
    format: Format = "auto",  # noqa: A002 (the setting's name)
    stream: TextIO | None = None,
    clock: Clock | None = None,
    repeats: Repeats | None = None,
    strict: bool = False,
) -> None:
    """Set where lines go from now on, for the whole process; libraries' messages at warning and above go there too.

    `level` is the least of debug, info, warning and error that is written; ValueError for another. `auto` is console on
    a terminal, else JSON. `stream` is standard error if None, where pipes don't mix lines with a command's output.
    """
    if level.lower() not in LEVELS:
        raise ValueError(f"log level {level!r} is none of {', '.join(LEVELS)}")
    _lines.become(_Target(level.lower(), format, stream or sys.stderr), clock, repeats, strict=strict)
    LibraryLines(partial(_lines.write, FACTS["library_message"])).install()


@dataclass(slots=True)
class _Target:
    level: str = "warning"
    format: Format = "json"
    stream: TextIO = field(default_factory=lambda: sys.stderr)

    def logger(self, clock: Clock, repeats: Repeats) -> Any:
        """A structlog logger of its own: its process-wide configuration stays untouched."""
        checks: list[Any] = [structlog.contextvars.merge_contextvars, Documented(), Limited(clock, repeats)]
        return structlog.wrap_logger(
            structlog.WriteLogger(Quiet(self.stream)),  # type: ignore[arg-type]  # has the two methods it calls
            processors=[*checks, Stamped(clock), self._renderer()],
            wrapper_class=structlog.make_filtering_bound_logger(self.level),
        )

    def _renderer(self) -> Any:
        terminal = self.stream.isatty()
        if self.format == "json" or (self.format == "auto" and not terminal):
            return structlog.processors.JSONRenderer(serializer=json.dumps)
        return structlog.dev.ConsoleRenderer(colors=terminal and "NO_COLOR" not in os.environ, pad_event_to=24)


class _Lines:
    """The process's one output; until it is configured it is strict, and silent below warning."""

    def __init__(self) -> None:
        self.strict = True
        self._logger = _Target().logger(SystemClock(), Repeats())

    def become(self, target: _Target, clock: Clock | None, repeats: Repeats | None, *, strict: bool) -> None:
        self.strict = strict
        self._logger = target.logger(clock or SystemClock(), repeats or Repeats())

    def write(self, fact: Fact, fields: MutableMapping[str, object]) -> None:
        getattr(self._logger, fact.level)(fact.name, **fields)


class LibraryLines(logging.Handler):
    """Turns each record of `logging` into fields for `tell`: the first line, long numbers masked, no traceback."""

    def __init__(self, tell: Callable[[MutableMapping[str, object]], None]) -> None:
        super().__init__(level=logging.WARNING)
        self._tell = tell

    def install(self) -> None:
        """Become the root logger's handler in the place of an earlier one of ours, and quieten the libraries."""
        root = logging.getLogger()
        for handler in [h for h in root.handlers if isinstance(h, LibraryLines)]:
            root.removeHandler(handler)
        root.addHandler(self)
        for name in LIBRARIES:
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.captureWarnings(True)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._tell(_fields(record))
        except Exception:  # noqa: BLE001 (a line that can't be made must not fail the library's own work)
            return


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = {"logger": record.name, "message": foreign(record.getMessage())}
    if record.exc_info and record.exc_info[1]:
        fields["exception"] = raised(record.exc_info[1])
    return fields


def _insist(event: str, fact: Fact | None, level: Level, fields: dict[str, object]) -> None:
    if fact is None:
        raise Undocumented(f"no fact is named {event!r}: add its row to producer/observe/facts.py")
    if fact.level != level:
        raise Undocumented(f"{event} is told at {fact.level}, not at {level}")
    unknown = [name for name in fields if not fact.carries(name)]
    if unknown:
        raise Undocumented(f"{event} does not carry {', '.join(unknown)}: see producer/observe/facts.py")


_lines = _Lines()
