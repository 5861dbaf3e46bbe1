"""Java of our own beside Kafka's: compiled here, where there is a compiler."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from producer.demo.broker.distribution import Distribution, install

WARNINGS = ("-Xlint:all,-classfile,-processing", "-proc:none", "-Werror")


def compiled(name: str, text: str, folder: Path) -> Distribution:
    """Puts a file and its classes into `folder`, compiled against Kafka's; skips where there is no compiler."""
    javac = shutil.which("javac")
    if javac is None:
        pytest.skip("no Java compiler here: javac is needed")
    kafka = install()
    (folder / name).write_text(text)
    classpath = ":".join([*map(str, kafka.jars), str(folder)])
    subprocess.run([javac, "--release", "17", *WARNINGS, "-cp", classpath, name], cwd=folder, check=True)
    return kafka
