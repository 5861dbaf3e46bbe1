"""Prints the pinned list anew, after `KAFKA_VERSION` was changed: `python -m producer.demo.broker.pin > FILE.lock`."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

from producer.demo.broker import maven
from producer.demo.broker.jars import REQUESTED


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for coordinate, file in maven.resolve(REQUESTED, Path(folder)).items():
            content = file.read_bytes()
            sys.stdout.write(f"{hashlib.sha256(content).hexdigest()} {len(content)} {coordinate}\n")


if __name__ == "__main__":
    main()
