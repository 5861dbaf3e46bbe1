"""The end of a command: no thread holds it up, be it a resolver that never answers."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from producer.commands.loop import run

BOUND = 60.0
"""Seconds after which a process that does not end is taken as one that never will."""

SILENT_RESOLVER = """
import socket, threading
real = socket.getaddrinfo
def getaddrinfo(host, *rest, **more):
    if str(host).endswith("silent.example"):
        print("asked", flush=True)
        threading.Event().wait()
    return real(host, *rest, **more)
socket.getaddrinfo = getaddrinfo
"""
"""What Python imports at its start: a name server that takes the question and gives no answer."""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "sitecustomize.py").write_text(SILENT_RESOLVER)
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(tmp_path),
        "WOLKVOX_SERVER": "0042",
        "WOLKVOX_TOKEN": "any",
        "WOLKVOX_URL": "https://api.silent.example",
        "KAFKA_BOOTSTRAP_SERVERS": "kafka.silent.example:9092",
        "STATUS_PORT": "0",
        "LOG_FORMAT": "json",
    }


def python(*arguments: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    # A shell that starts the tests in the background has them ignore SIGINT, and a child would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    finally:
        signal.signal(signal.SIGINT, before)


def ended(process: subprocess.Popen[str]) -> int:
    """The exit code; fails if the process does not end."""
    try:
        process.communicate(timeout=BOUND)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        pytest.fail(f"{process.args!r} did not end")
    return process.returncode


def test_the_result_is_there_although_a_thread_never_ends() -> None:
    code = (
        "import asyncio, threading\n"
        "from producer.commands.loop import run\n"
        "async def main():\n"
        "    hung = [asyncio.ensure_future(asyncio.to_thread(threading.Event().wait)) for _ in range(20)]\n"
        "    return await asyncio.to_thread(sum, [40, 2])\n"
        "print(run(main()))\n"
    )
    process = python("-c", code, environment={"PATH": os.environ["PATH"]})
    assert ended(process) == 0


def test_a_thread_gives_back_what_its_call_returned_or_raised() -> None:
    async def main() -> tuple[list[int], str]:
        results = await asyncio.gather(*(asyncio.to_thread(pow, number, 2) for number in range(100)))
        try:
            await asyncio.to_thread(int, "none")
        except ValueError as error:
            return results, type(error).__name__
        return results, ""

    assert run(main()) == ([number * number for number in range(100)], "ValueError")


def interrupted(command: str, number: signal.Signals, environment: dict[str, str]) -> int:
    """The exit code of a command that gets a signal while it waits for the resolver."""
    process = python("-m", "producer", *command.split(), environment=environment)
    assert process.stdout is not None
    assert "asked\n" in iter(process.stdout.readline, "")
    process.send_signal(number)
    return ended(process)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_service_ends_when_asked_although_the_resolver_never_answers(
    environment: dict[str, str], number: signal.Signals
) -> None:
    assert interrupted("run", number, environment) == 0


@pytest.mark.parametrize(("command", "code"), [("run --once", 130), ("check", 130), ("ledger show", 130), ("tail", 0)])
def test_a_command_ends_at_ctrl_c_although_the_resolver_never_answers(
    environment: dict[str, str], command: str, code: int
) -> None:
    assert interrupted(command, signal.SIGINT, environment) == code
