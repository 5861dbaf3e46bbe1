"""A PostgreSQL of the test's own, on loopback, from the programs that this machine has."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from producer.demo.broker.ports import Ports

PATIENCE = 60.0
NOBODY = "postgres"
"""Who runs it where we are root, whom it refuses."""


class Postgres:
    """The one that runs; `hits` may do everything in the database `postgres`."""

    def __init__(self, port: int, psql: str) -> None:
        self.url = f"jdbc:postgresql://127.0.0.1:{port}/postgres"
        self._command = [
            psql,
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "-U",
            "hits",
            "-X",
            "-At",
            "-F",
            "\t",
            "postgres",
            "-c",
        ]

    def tried(self, statement: str) -> list[list[str]] | None:
        """The rows of an answer, None if it refuses."""
        done = subprocess.run(
            [*self._command, statement], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        return None if done.returncode else [line.split("\t") for line in done.stdout.splitlines()]


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Runs one; skips the test where there is none."""
    psql, programs = shutil.which("psql"), _programs()
    if psql is None or programs is None:
        pytest.skip("no PostgreSQL here: psql, initdb and postgres are needed")
    ports = Ports(("postgres",))
    folder = Path(tempfile.mkdtemp(prefix="wolkvox-hits-postgres-"))
    process = None
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, NOBODY)
        data, port = str(folder / "data"), ports.numbers["postgres"]
        _run(folder, programs / "initdb", "-D", data, "-A", "trust", "-U", "hits", "-E", "UTF8", "--no-sync")
        options = ("-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-p", str(port), "-k", str(folder))
        process = subprocess.Popen(
            [*_as_nobody(), str(programs / "postgres"), "-D", data, *options], cwd=folder, stderr=subprocess.DEVNULL
        )
        one, deadline = Postgres(port, psql), time.monotonic() + PATIENCE
        while one.tried("SELECT 1") is None:
            assert process.poll() is None, "PostgreSQL ended while starting"
            assert time.monotonic() < deadline, "PostgreSQL did not answer"
        yield one
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)  # its "fast" shutdown
            process.wait()
        shutil.rmtree(folder)
        ports.close()


def _programs() -> Path | None:
    """Where initdb and postgres are: on Debian beside each other, and not on the PATH."""
    on_path = shutil.which("postgres")
    folders = [one.parent for one in sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True)]
    folders += [Path(on_path).resolve().parent] if on_path else []
    return next((one for one in folders if (one / "initdb").is_file()), None)


def _run(folder: Path, *command: str | Path) -> None:
    subprocess.run([*_as_nobody(), *map(str, command)], cwd=folder, check=True, capture_output=True, timeout=PATIENCE)


def _as_nobody() -> Sequence[str]:
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups") if os.geteuid() == 0 else ()
