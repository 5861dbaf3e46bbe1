"""Values read back in Java, by Apicurio's deserializer; its jars are pinned in serde.lock.

mvn dependency:copy-dependencies of io.apicurio:apicurio-registry-jsonschema-serde-kafka:3.1.7, the newest of which all
parts are on Maven Central.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest

from producer.demo.broker.jars import listed
from producer.demo.broker.java import bundled_java, find_java
from tests.integration.java import WARNINGS
from tests.integration.pinned import provided

HERE = Path(__file__).parent
PROGRAM = HERE / "RegistryReader.java"


def read_in_java(registry: str, values: Iterable[tuple[str, bytes]], folder: Path) -> list[Any]:
    """What it makes of the values of topics, in order; skips where there is no compiler."""
    javac = shutil.which("javac")
    if javac is None:
        pytest.skip("no Java compiler here: javac is needed")
    jars = provided(
        listed((HERE / "serde.lock").read_text()), what="Apicurio's deserializer", folder="apicurio-serde-3.1.7"
    )
    classpath = ":".join(map(str, [*jars, folder]))
    shutil.copy(PROGRAM, folder)
    subprocess.run([javac, "--release", "17", *WARNINGS, "-cp", classpath, PROGRAM.name], cwd=folder, check=True)
    lines = [f"{topic} {base64.b64encode(value).decode()}" for topic, value in values]
    java = [str(find_java(bundled=bundled_java())), "-XX:TieredStopAtLevel=1", "-cp", classpath, PROGRAM.stem]
    # Its own API, not the one that is Confluent's.
    done = subprocess.run(
        [*java, registry.replace("/ccompat/v7", "/registry/v3")],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [orjson.loads(line) for line in done.stdout.splitlines()]
