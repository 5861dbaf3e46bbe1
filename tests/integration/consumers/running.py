"""One consumer as a process: what it said it worked on, and how to kill it in the middle of that."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import TypeVar

PATIENCE = 60.0
"""Seconds for what takes two to five, Java's start among it."""
PIPE = 4096
"""Bytes of work told and not yet read, after which a consumer's next print waits: Linux' smallest pipe."""


@contextmanager
def running(command: Sequence[str], folder: Path) -> Iterator[Running]:
    """A consumer that works hit by hit, while the block runs; then it is killed, wherever it stands."""
    with started(command, folder, Running) as consumer:
        yield consumer


@contextmanager
def started(command: Sequence[str], folder: Path, kind: type[C]) -> Iterator[C]:
    """A consumer while the block runs, its output read as its kind has it."""
    output, end = os.pipe()
    fcntl.fcntl(output, fcntl.F_SETPIPE_SZ, PIPE)
    errors = folder / "errors.txt"
    with errors.open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=end, stderr=log)
    os.close(end)
    try:
        yield kind(process, output, errors)
    finally:
        process.kill()
        process.wait()
        os.close(output)


class Consumer:
    """A consumer that runs; what its lines mean, the kinds know."""

    def __init__(self, process: subprocess.Popen[bytes], output: int, errors: Path) -> None:
        self._process = process
        self._output = output
        self._errors = errors
        self._rest = b""

    def read(self, deadline: float) -> bool:
        """Some of its output; False if it ended, or fell silent until then."""
        with DefaultSelector() as selector:
            selector.register(self._output, EVENT_READ)
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return False
        some = os.read(self._output, PIPE)
        *lines, self._rest = (self._rest + some).split(b"\n")
        for line in lines:
            self.note(line.decode())
        return bool(some)

    def note(self, line: str) -> None:
        """One line of its output."""
        raise NotImplementedError

    def words(self) -> str:
        """What it said besides, for the text of a failure."""
        return "".join(f"\n    {line}" for line in self._errors.read_text().splitlines()[-20:])


C = TypeVar("C", bound=Consumer)


class Table(Consumer):
    """A consumer that keeps the last word: `hits` by server and conn_id, as its lines `[server, conn_id, hit]` say."""

    def __init__(self, process: subprocess.Popen[bytes], output: int, errors: Path) -> None:
        super().__init__(process, output, errors)
        self.hits: dict[tuple[str, str], str | None] = {}

    def until(self, condition: Callable[[Mapping[tuple[str, str], str | None]], bool]) -> None:
        """Read what it tells until the table is so; fails if it ends before."""
        deadline = time.monotonic() + PATIENCE
        while not condition(self.hits):
            assert self.read(deadline), f"it ended or fell silent, {len(self.hits)} hits in its table:{self.words()}"

    def note(self, line: str) -> None:
        if line.startswith("["):  # kafkajs tells its own doings in objects
            server, conn_id, hit = json.loads(line)
            self.hits[server, conn_id] = hit


class Running(Consumer):
    """One that works hit by hit; `done` and `done_before` are the ce_ids that it told, in its order."""

    def __init__(self, process: subprocess.Popen[bytes], output: int, errors: Path) -> None:
        super().__init__(process, output, errors)
        self.done: list[str] = []
        self.done_before: list[str] = []

    @property
    def seen(self) -> set[str]:
        """Every ce_id it told."""
        return {*self.done, *self.done_before}

    def until_seen(self, ce_ids: Iterable[str]) -> None:
        """Read what it tells until it has told of all of these; fails if it ends before."""
        wanted, deadline = set(ce_ids), time.monotonic() + PATIENCE
        while not wanted <= self.seen:
            assert self.read(deadline), f"it ended or fell silent, {len(wanted - self.seen)} untold:{self.words()}"

    def kill_when_stuck(self) -> None:
        """Read nothing until nothing more fits, so that it stands in the middle of its work; then SIGKILL."""
        deadline, before = time.monotonic() + PATIENCE, -1
        while (waiting := self._waiting()) < PIPE - 200 or waiting > before:
            assert time.monotonic() < deadline, f"it says too little:{self.words()}"
            assert self._process.poll() is None, f"it ended:{self.words()}"
            before = waiting
            time.sleep(0.2)  # a pipe tells nobody that it is full: it is if nothing was added for this long
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        while self.read(deadline):
            pass

    def _waiting(self) -> int:
        """Bytes in the pipe."""
        return int(struct.unpack("i", fcntl.ioctl(self._output, termios.FIONREAD, b"\0" * 4))[0])

    def note(self, line: str) -> None:
        """One line of its output; others than `ce_id what` say nothing of work."""
        if found := re.fullmatch(r"(\d{4}/\S+) (.*)", line):
            (self.done_before if found[2] == "was done before" else self.done).append(found[1])
