"""What a command refuses before it does anything: exit code 2, and a line that says what to write instead."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from producer.commands.cli import app
from producer.events import CURRENT


def ended(*words: str) -> tuple[int, str]:
    """The exit code, and what was said, on one line."""
    done = CliRunner().invoke(app, words)
    return done.exit_code, " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.output).split())


@pytest.mark.parametrize("port", ["-1", "65536", "99999"])
def test_a_port_that_there_is_not_is_refused(port: str) -> None:
    code, said = ended("simulate", "--port", port)
    assert code == 2
    assert "Invalid value for '--port'" in said


@pytest.mark.parametrize("host", ["x" * 64, "192.0.2.1"])  # longer than any name: no name server is asked
def test_a_host_that_is_not_this_machine_is_not_blamed_on_the_port(host: str) -> None:
    code, said = ended("simulate", "--host", host, "--port", "0")
    assert (code, said) == (1, f"wolkvox-hits: --host: {host!r} is no address of this machine")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--host", ""), "host, token: neither may be empty"),
        (("--token", ""), "host, token: neither may be empty"),
        (("--quota", "0"), "Invalid value for '--quota'"),
        (("--servers", "1001"), "Invalid value for '--servers'"),
    ],
)
def test_a_simulator_that_nobody_could_use_is_refused(words: tuple[str, ...], complaint: str) -> None:
    code, said = ended("simulate", "--port", "0", *words)
    assert code == 2
    assert complaint in said


def test_a_schema_that_is_not_there_is_an_error_that_names_those_that_are() -> None:
    code, said = ended("schemas", "print", "nope")
    assert code == 2
    assert re.fullmatch(r"wolkvox-hits: no schema nope; there are: .*hit 1\.0\.0.*", said)


def test_the_help_names_every_schema() -> None:
    _, said = ended("schemas", "print", "--help")
    assert all(re.search(rf"\b{name}\b", said) for name in CURRENT)
