"""What a start imports, and what it does without."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from producer.imports import importing, remember_absent


def test_what_was_imported_is_never_searched_again() -> None:
    frozen = gc.get_freeze_count()
    try:
        with importing():
            made: list[list[int]] = [[] for _ in range(1_000)]
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count() >= frozen + len(made)
    finally:
        gc.unfreeze()


def test_a_package_that_is_not_needed_is_as_if_it_were_not_installed() -> None:
    name = "tests.not_imported_by_anybody"
    with importing(without=[name]), pytest.raises(ImportError):
        __import__(name)
    assert name not in sys.modules


def test_one_that_is_imported_already_stays() -> None:
    with importing(without=["pytest"]):
        assert sys.modules["pytest"] is pytest


class Asked:
    """Writes down what Python looks for."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        self.names.append(name)


def test_what_is_not_installed_is_looked_for_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    name, asked = "nobody_wrote_this", Asked()
    monkeypatch.setattr(sys, "meta_path", [asked, *sys.meta_path])
    monkeypatch.setitem(sys.modules, name, None)
    del sys.modules[name]
    looked_for = []
    for remember in (lambda _: None, remember_absent):
        remember(name)
        asked.names.clear()
        for _ in range(3):
            with pytest.raises(ImportError):
                __import__(name)
        looked_for.append(len(asked.names))
    assert looked_for == [3, 0]


def test_what_is_installed_stays_so() -> None:
    for name in ("pytest", "pytest_timeout"):
        remember_absent(name)
        assert __import__(name).__name__ == name


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_service_starts_without_what_is_for_colours() -> None:
    """Counted and not timed: it is a tenth of a start."""
    code = """
import sys
from producer.imports import COLOURS, importing
import typer
with importing(without=COLOURS):
    import producer.commands.cli, producer.service.service
print(sorted({name.partition('.')[0] for name in sys.modules} & {*COLOURS, 'attr'}))
"""
    assert python(code) == "[]\n"


def test_the_help_is_in_boxes_all_the_same() -> None:
    assert "╭─" in python("import sys; sys.argv.append('--help'); from producer.__main__ import main; main()")
