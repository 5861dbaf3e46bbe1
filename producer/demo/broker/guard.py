"""The small process that a broker runs under, so that nothing outlives whoever started it, however that one ends.

Its standard input is a pipe from its owner: requests arrive there as JSON lines, and its end (the owner closed it, or
died of anything, SIGKILL included) means: kill the JVM, remove the folder, go. On Linux the kernel also kills the JVM
if this process dies first. A folder that is named on the command line stays, and is this process's alone until its JVM
is gone. Standard library only, and run as a file under `python -I -S`: it starts in 20 ms.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PATIENCE = 20  # seconds for a predecessor, whose owner was killed, to kill its JVM


class Guard:
    """One folder and at most one JVM at a time; each public method is a request its owner can send."""

    def __init__(self, kept: Path | None) -> None:
        self._kept = None if kept is None else _alone_in(kept)
        self._folder = kept or Path(tempfile.mkdtemp(prefix="wolkvox-hits-kafka-"))
        self._jvm: subprocess.Popen[bytes] | None = None

    @property
    def folder(self) -> str:
        """Where the program runs."""
        return str(self._folder)

    def run(self, *argv: str) -> int:
        """Starts a program in the folder, its output added to `broker.log`; answers its process id."""
        with (self._folder / "broker.log").open("ab") as log:
            self._jvm = subprocess.Popen(  # noqa: S603  # what our owner asks for
                argv,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent(),  # noqa: PLW1509  # there is one thread here
            )
        return self._jvm.pid

    def signal(self, number: int) -> None:
        """Sends a signal to the program, if it still runs."""
        if self._jvm:
            self._jvm.send_signal(number)

    def wait(self, seconds: float) -> int | None:
        """Its exit status, None if it still runs after so long (short, please: nothing else is heard meanwhile)."""
        try:
            return self._jvm.wait(seconds) if self._jvm else 0
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """Kills what runs and removes the folder, unless it is to stay."""
        if self._jvm:
            self._jvm.kill()
            self._jvm.wait()
        if self._kept is None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _alone_in(folder: Path) -> TextIO:
    """A lock that holds until this process, and so its JVM, is gone; a predecessor that does not go ends this one."""
    os.umask(0o077)  # what the broker writes has telephones in it
    lock = (folder / ".guard").open("w")
    signal.alarm(PATIENCE)
    fcntl.flock(lock, fcntl.LOCK_EX)
    signal.alarm(0)
    return lock


def _die_with_parent() -> Any:
    if sys.platform != "linux":
        return None
    prctl, guard = ctypes.CDLL(None).prctl, os.getpid()

    def arm() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:  # it died before the line above
            os._exit(1)

    return arm


def main() -> None:
    guard = Guard(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    requests: dict[str, Callable[..., Any]] = {"run": guard.run, "signal": guard.signal, "wait": guard.wait}
    try:
        _answer(guard.folder)
        for line in sys.stdin:
            name, *arguments = json.loads(line)
            _answer(requests[name](*arguments))
    except BrokenPipeError:
        pass  # the owner is gone, and nobody reads the answer
    finally:
        guard.end()


def _answer(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
