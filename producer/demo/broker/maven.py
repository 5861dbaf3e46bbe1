"""jgo, the Maven client in pure Python: the only module that imports it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from producer.demo.broker.errors import BrokerUnavailable

READ_TIMEOUT = 30  # seconds without a byte


def download(coordinate: str, folder: Path) -> Path:
    """Fetches one jar from Maven Central into `folder`; raises OSError, RuntimeError or BrokerUnavailable."""
    file: Path = _context(folder).create_dependency(coordinate).artifact.resolve()
    return file


def resolve(requested: Sequence[str], folder: Path) -> dict[str, Path]:
    """All jars that `requested` need at run time, by coordinate, fetched into `folder`."""
    context = _context(folder)
    inputs, transitive = context.resolver.resolve([context.create_dependency(text) for text in requested])
    found = [*inputs, *(dependency for dependency in transitive if dependency.scope in {"compile", "runtime"})]
    return {f"{one.groupId}:{one.artifactId}:{one.version}": one.artifact.resolve() for one in found}


def _context(folder: Path) -> Any:
    try:
        from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415  # only in the extra `demo`
    except ImportError as error:
        raise BrokerUnavailable(
            "The package jgo is missing: it comes with the extra `demo`, pip install '.[demo]' in a clone."
        ) from error
    return MavenContext(resolver=PythonResolver(), repo_cache=folder, local_repos=[], timeout=READ_TIMEOUT)
