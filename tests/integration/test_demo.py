from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from producer.demo.show import Plan, ServiceFailed, demo
from producer.demo.show.instance import Instance
from producer.demo.simulator import Simulator
from tests.meta.papers import paper

pytestmark = pytest.mark.kafka

QUICK = Plan(calm=1.0, report=7.0, late=0.0, late_by=1.0, typify_late=0.5, typify_by=1.0, outage=8.5, session=2.0)
"""Everything that the demo has, in twenty seconds."""

PROGRAM = f"""
import sys
from producer.demo.show import Plan, demo
sys.exit(demo(plan={QUICK}))
"""


def test_the_demo_ends_with_an_audit_that_holds(kafka: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo(plan=QUICK) == 0
    told, errors = capsys.readouterr()
    (audit,) = re.findall(
        r"Audit: hits shown by the API (\d+), events on the topic (\d+), duplicates 0, missing 0, "
        r"changes told (\d+), hits misquoted 0, "
        r"coverage gaps told (\d+), hits never shown (\d+), of them still in gaps 0\.",
        told,
    )
    shown, events, changes, gaps, never_shown = map(int, audit)
    assert shown + never_shown >= events >= shown > 20  # what came from the history first may be shown yet
    assert changes >= 2  # a call typified late, and corrected
    assert gaps >= 1
    assert never_shown >= 1
    assert "kill -9 of the service" in told
    assert not errors
    said = masked(told)
    assert [part for part in shown_in_the_readme() if part not in said] == []
    # Neither telephones nor customer ids of the simulated call centre.
    assert not re.search(r"\b(9|57|957)?300000\d{4}\b", told)
    assert not re.search(r"\b10000\d{5}\b", told)


def shown_in_the_readme() -> list[str]:
    """What the README shows of a demo, in the parts between its dots."""
    block = paper("README.md").between("demo").strip("`\n")
    return [masked(part) for part in re.split(r"^ *\.\.\.$", block, flags=re.MULTILINE)]


def masked(told: str) -> str:
    """The words alone: no numbers, which differ from run to run, no line ends, which follow them, no counts between."""
    lines = [line for line in told.splitlines() if not line.lstrip().startswith("[")]
    return re.sub(r"\d+([.:]\d+)*", "0", " ".join(" ".join(lines).split()))


@pytest.mark.parametrize("moment", ["1. ", "2. ", "4. kill -9", "5. The API fails"])
def test_ctrl_c_is_clean_at_any_time(kafka: str, tmp_path: Path, moment: str) -> None:
    with _started(tmp_path) as process:
        _read_to(process, moment)
        offspring = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        told, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors == ""
    assert told.endswith("Stopped; all that was started here has ended.\n")
    _assert_nothing_left(offspring, tmp_path)


def test_nothing_is_left_when_the_demo_itself_is_killed(kafka: str, tmp_path: Path) -> None:
    with _started(tmp_path) as process:
        _read_to(process, "4. kill -9")
        offspring = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.communicate(timeout=30)
    _assert_nothing_left(offspring, tmp_path)


def test_a_closed_pipe_ends_it_without_a_traceback(kafka: str, tmp_path: Path) -> None:
    with _started(tmp_path) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=30) == 1
        assert process.stderr
        assert process.stderr.read() == ""
    assert not list(tmp_path.iterdir())


def test_a_service_that_ends_by_itself_ends_the_demo_with_its_last_words(kafka: str) -> None:
    class Misconfigured(Plan):
        def settings(self, simulator: Simulator, bootstrap: str) -> dict[str, str]:
            return {**super().settings(simulator, bootstrap), "POLL_INTERVAL": "soon"}

    with pytest.raises(ServiceFailed, match=r"(?s)ended by itself, with status 2.*POLL_INTERVAL"):
        demo(plan=Misconfigured())


async def test_the_service_is_configured_by_its_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOLKVOX_TOKEN", "a-real-one")
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    instance = Instance({"WOLKVOX_SERVER": "0042"})
    instance.start()
    try:
        while instance.exit_status() is None:
            pass
        words = str(instance.failure("It ended."))
    finally:
        await instance.close()
    assert "WOLKVOX_TOKEN" in words
    assert "KAFKA_SASL" not in words


@contextmanager
def _started(temporary: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with process:
            yield process
    finally:
        process.kill()


def _read_to(process: subprocess.Popen[str], beginning: str) -> None:
    assert process.stdout
    for line in process.stdout:
        if line.startswith(beginning):
            return
    pytest.fail(f"ended before {beginning!r}")


def _assert_nothing_left(offspring: list[psutil.Process], temporary: Path) -> None:
    _, left = psutil.wait_procs(offspring, timeout=20)
    assert not left
    assert not list(temporary.iterdir())
