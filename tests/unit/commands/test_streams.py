"""Standard streams that are closed or full: the exit code says so, and a word where one can be said."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from producer.demo.broker.ports import Ports

BOUND = 60.0
PRINTING = (
    "config show",
    "config example",
    "schemas list",
    "schemas print hit",
    "--help",
    "--version",
    "config --help",
)
CLOSED = "wolkvox-hits: standard output: Bad file descriptor"
FULL = "wolkvox-hits: standard output: No space left on device"
SETTINGS = {"WOLKVOX_SERVER": "0042", "WOLKVOX_TOKEN": "any", "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}


def ended(command: str, streams: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A command whose streams a shell has turned elsewhere."""
    return subprocess.run(
        ["/bin/sh", "-c", f"exec {sys.executable} -m producer {command} {streams}"],
        env={"PATH": os.environ["PATH"], **SETTINGS, **settings},
        capture_output=True,
        encoding="utf-8",
        timeout=BOUND,
        check=False,
    )


@pytest.mark.parametrize(("streams", "word"), [(">&-", CLOSED), (">/dev/full", FULL)])
@pytest.mark.parametrize("command", PRINTING)
def test_what_cannot_be_printed_is_an_error_of_one_line(command: str, streams: str, word: str) -> None:
    process = ended(command, streams)
    assert (process.returncode, process.stderr.splitlines()) == (1, [word])


@pytest.mark.parametrize("streams", [">&- 2>&-", ">/dev/full 2>/dev/full", "<&- >&- 2>&-"])
def test_without_a_place_for_the_word_the_exit_code_still_says_it(streams: str) -> None:
    assert ended("config show", streams).returncode == 1


@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full", "<&- >&- 2>&-"])
def test_bad_settings_are_exit_code_2_although_nobody_can_be_told(streams: str) -> None:
    assert ended("run", streams, WOLKVOX_SERVER="none").returncode == 2


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "ascii:strict", "utf-8:surrogateescape"])
def test_a_pipe_is_written_in_utf_8_whatever_the_locale(encoding: str) -> None:
    """What reads it reads JSON."""
    process = ended("config show", "", PYTHONIOENCODING=encoding, KAFKA_GROUP_ID="señal → 1")
    assert (process.returncode, process.stderr) == (0, "")
    assert "señal → 1" in process.stdout


def test_a_terminal_that_lacks_a_letter_is_told_its_number() -> None:
    ours, its = os.openpty()
    with os.fdopen(ours, "rb") as screen:
        process = subprocess.run(
            [sys.executable, "-m", "producer", "config", "show"],
            env={"PATH": os.environ["PATH"], **SETTINGS, "PYTHONIOENCODING": "latin-1", "KAFKA_GROUP_ID": "señal → 1"},
            stdout=its,
            stderr=subprocess.PIPE,
            timeout=BOUND,
            check=False,
        )
        assert (process.returncode, process.stderr) == (0, b"")
        shown = screen.read1()
        os.close(its)
    assert "señal \\u2192 1" in shown.decode("latin-1")


def test_a_reader_that_goes_away_is_no_error_that_needs_a_word() -> None:
    process = ended("config example", "| head -n 1")
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full", ">&- 2>&-", "<&- >&- 2>&-"])
def test_the_service_runs_and_ends_as_ever_although_it_has_no_log(streams: str) -> None:
    """Its page is asked, for a socket could have got the number of a closed stream."""
    page = Ports(["page"])
    with socket.create_server(("127.0.0.1", 0)) as broker:
        broker.settimeout(BOUND)
        settings = {**SETTINGS, "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{broker.getsockname()[1]}"}
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {sys.executable} -m producer run {streams}"],
            env={"PATH": os.environ["PATH"], **settings, "STATUS_PORT": str(page.numbers["page"])},
        )
        try:
            broker.accept()[0].close()  # it runs, and looks for Kafka
            with urllib.request.urlopen(f"http://127.0.0.1:{page.numbers['page']}/healthz", timeout=BOUND) as answer:
                assert answer.status == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=BOUND) == 0
        finally:
            process.kill()
            process.wait()
            page.close()
