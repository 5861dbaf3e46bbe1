"""The documents' commands of ours are typed as they stand, against a simulated API and a real Kafka.

Those that need neither are run by tests/meta; `demo` and `try` have tests of their own.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest

from producer.demo.simulator.callcentre import BOGOTA
from tests.integration.service.instance import PATIENCE
from tests.integration.service.stage import Stage
from tests.meta.papers import mentioned, typed
from tests.meta.test_paper_commands import ALONE

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

FIRST, LAST = "check --config wolkvox-hits.toml", ("ledger init", "ledger reset 0042")
ELSEWHERE = ("demo", "try", "--version", *ALONE)
INCOMPLETE = {"ledger reset", "recover", "recover file", "recover history", "recover verify", "tail"}
"""Named within a sentence, without what it needs: `tail` alone shows what comes from now on, and here nothing does."""
OPEN = 600.0
"""Seconds that this call centre has been open. One that always was has 864,000 hits a day, and makes them all if it is
asked for days of the past."""
REFUSED = ("recover history", "recover verify")
"""Of a time of which this call centre has nothing: exit status 1, and why."""
ENDLESS = ("run", "tail", "simulate")
"""They go on until they are asked to end."""


def documented() -> list[str]:
    """Ours, in an order in which a person may type them."""
    ours = [one.removeprefix("wolkvox-hits ") for one in [*typed(), *mentioned()] if one.startswith("wolkvox-hits ")]
    some = [one for one in ours if not one.startswith(ELSEWHERE) and one not in {FIRST, *LAST, *INCOMPLETE}]
    assert {FIRST, *LAST} <= set(ours)
    return [FIRST, *sorted(some, key=lambda one: not one.startswith("run")), *LAST]


async def test_each_command_does_what_it_says(kafka: str, topic: str, tmp_path: Path) -> None:
    # So that there is something on each topic: rows that read otherwise later, and rows that are no hits.
    stage = Stage(bootstrap=kafka, topic=topic, typify_late=0.5, start=time.time() - OPEN)
    stage.simulator.fault = "odd-rows"
    await stage.simulator.open()
    try:
        await typing(stage, tmp_path, "config example > wolkvox-hits.toml")
        (tmp_path / "hits.csv").write_text(f"ID;date;hit\n6736.4628.1040.1;{datetime.now(BOGOTA):%Y%m%d%H%M%S};VENTA\n")
        for command in documented():
            told = await typing(stage, tmp_path, command)
            if command.endswith("--json"):
                json.loads(told)
            assert "Traceback" not in told, command
    finally:
        await stage.close()


async def typing(stage: Stage, folder: Path, command: str) -> str:
    """What it prints; one that goes on is asked to end by Ctrl-C after its first work."""
    keyboard, terminal = os.openpty()
    process = await asyncio.create_subprocess_shell(
        f"exec wolkvox-hits {command}", cwd=folder, env=environment(stage), stdin=terminal, stdout=PIPE, stderr=STDOUT
    )
    try:
        os.write(keyboard, b"y\n")
        async with asyncio.timeout(2 * PATIENCE):
            told = await until_working(process) if goes_on(shlex.split(command)) else b""
            rest, _ = await process.communicate()
        fine = {0, 130} if told else {0, 1} if command.startswith(REFUSED) else {0}
        assert process.returncode in fine, f"{command}\n{(told + rest).decode()}"
        return (told + rest).decode()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        os.close(keyboard)
        os.close(terminal)


def environment(stage: Stage) -> dict[str, str]:
    """Of a shell in which the package is installed; the settings go before those of the file."""
    beside = str(Path(sys.executable).parent)
    return stage.environment(PATH=f"{beside}{os.pathsep}{os.environ['PATH']}")


def goes_on(words: Sequence[str]) -> bool:
    return words[0] in ENDLESS and not {"--once", "--no-follow"} & set(words)


async def until_working(process: Process) -> bytes:
    """Read until the service has told hits and dead letters, any other until its first line; then interrupt it."""
    assert process.stdout is not None
    told = b""
    while line := await process.stdout.readline():
        told += line
        if b'"service_started"' in told and b'"committed"' not in line:
            continue
        if b"status_listening" not in line and b"settings_warning" not in line:
            break
    process.send_signal(signal.SIGINT)
    return told
