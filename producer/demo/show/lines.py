"""The demo as plain lines, for a pipe or a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from textwrap import fill
from typing import TextIO

from producer.demo.broker import Progress
from producer.demo.show.audit import Audit
from producer.demo.show.narrator import FAILS, HOLDS, View, findings

EVERY = 5.0
"""Seconds between two lines of counters."""
WIDTH = 100
_STEPS = 4
"""Lines about the fetching: one for each quarter."""


class Lines:
    """A `Narrator` that only ever adds lines to `out`; `clock` reads monotonic seconds."""

    def __init__(self, out: TextIO, *, clock: Callable[[], float]) -> None:
        self._out = out
        self._clock = clock
        self._counted = clock()
        self._quarter = -1
        self._number = 0

    def step(self, text: str) -> None:
        self._number += 1
        self._write(f"{self._number}. {text}")

    def say(self, *lines: str) -> None:
        for line in lines:
            self._write(fill(line, WIDTH, initial_indent="   ", subsequent_indent="   ", break_on_hyphens=False))

    def fetched(self, progress: Progress) -> None:
        quarter = int(_STEPS * progress.megabytes / progress.megabytes_total)
        if quarter > self._quarter:
            self._quarter = quarter
            self.say(f"fetching Kafka: {progress.megabytes:.0f} of {progress.megabytes_total:.0f} MB")

    def show(self, view: View) -> None:
        if self._clock() - self._counted < EVERY:
            return
        self._counted = self._clock()
        self._write(f"   [{', '.join(_counters(view))}; service {view.service}]")
        for line in list(view.last)[-1:]:
            self._write(f"   [the last one: {line.conn_id}, {line.type_interaction}, {line.hit}]")

    def close(self) -> None:
        """Nothing moves here anyway."""

    def verdict(self, audit: Audit) -> None:
        self._write(f"Audit: {audit.line}.")
        for line in findings(audit):
            self._write(f"   {line}")
        self._write(HOLDS if audit.holds else FAILS)

    def _write(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()


def _counters(view: View) -> Iterator[str]:
    if view.shown:
        yield f"shown by the API {view.shown.hits}"
    yield f"events {view.events}, duplicates {view.duplicates}"
    if view.shown:
        yield f"missing so far {view.shown.missing}, never shown {view.shown.unseen}"
    yield f"changes told {view.changes}, gaps told {view.gaps}"
