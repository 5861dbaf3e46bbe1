"""Prints the pinned list anew, after `KAFKA_VERSION` was changed: `python -m producer.demo.broker.pin > FILE.lock`."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from producer.demo.broker import maven
from producer.demo.broker.jars import KAFKA_VERSION, requested


def lines(version: str) -> Iterator[str]:
    """SHA-256, bytes and coordinate of each jar that this Apache Kafka needs; fetches them all."""
    with tempfile.TemporaryDirectory() as folder:
        for coordinate, file in maven.resolve(requested(version), Path(folder)).items():
            content = file.read_bytes()
            yield f"{hashlib.sha256(content).hexdigest()} {len(content)} {coordinate}\n"


if __name__ == "__main__":
    sys.stdout.writelines(lines(KAFKA_VERSION))
