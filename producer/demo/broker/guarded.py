"""The owner's side of a guard process (guard.py): a folder and one program at a time, both gone when we are."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from producer.demo.broker import guard
from producer.demo.broker.errors import BrokerUnavailable

STEP = 0.05  # seconds of one wait inside the guard, which is deaf for so long


class Guarded:
    """A temporary folder with a program in it; both end with `close()` or with this process, whichever is first.

    The folder `kept`, if one is given, takes the temporary one's place, and stays.
    """

    def __init__(self, kept: Path | None = None) -> None:
        self._kept = kept is not None
        self._process = subprocess.Popen(  # noqa: S603  # our own file under our own interpreter
            [sys.executable, "-I", "-S", guard.__file__, *([] if kept is None else [kept])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # nothing may be left to flush into the pipe of a guard that is gone
            start_new_session=True,  # Ctrl-C on the terminal is for the owner, who then ends this in order
        )
        self._one_at_a_time = threading.Lock()
        self.folder = Path(self._answer())

    def run(self, argv: Sequence[str | Path]) -> int:
        """Starts a program; returns its process id."""
        pid: int = self._ask("run", *map(str, argv))
        return pid

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal, if it still runs."""
        self._ask("signal", number)

    def exit_status(self, *, within: float = 0) -> int | None:
        """Its exit status (negative: the signal that ended it), None if it still runs after `within` seconds."""
        deadline = time.monotonic() + within
        while True:
            left = deadline - time.monotonic()
            status: int | None = self._ask("wait", max(0.0, min(STEP, left)))
            if status is not None or left <= 0:
                return status

    def close(self) -> None:
        """Kills the program and removes a temporary folder; the second time nothing happens."""
        with self._one_at_a_time:
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()
            if not self._kept:
                shutil.rmtree(self.folder, ignore_errors=True)  # the guard did, unless it was killed itself

    def _ask(self, *request: Any) -> Any:
        with self._one_at_a_time:
            assert self._process.stdin
            try:
                self._process.stdin.write(json.dumps(request).encode() + b"\n")
            except (BrokenPipeError, ValueError) as error:
                raise BrokerUnavailable("The broker's guard process is gone, and the broker with it.") from error
            return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise BrokerUnavailable("The broker's guard process ended without an answer.")
        return json.loads(line)
