"""`make matrix`: what depends on the broker, on each Apache Kafka from 3.7 on; ends with 1 if any of it failed.

python -m tests.matrix [VERSION...]; without versions the newest of each minor that Maven Central has.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from producer.demo.broker import maven
from tests.matrix.outcomes import Outcome, newest
from tests.matrix.tries import tried

OLDEST = (3, 7)
"""Earlier ones are not KRaft for production, or can't say which disk a leader is on (KIP-858)."""

PROMISES: Mapping[str, Sequence[str]] = {
    "contracts": ("tests/contracts",),
    "takeover": ("tests/integration/service/test_standby.py",),
    "kill -9": ("tests/integration/service/test_kills.py",),
    "fenced zombie": ("tests/integration/service/test_zombies.py",),
    "deposed leader": ("tests/integration/service/test_isolated_leader.py",),
}
"""By what they show: the tests whose outcome is the broker's as much as ours."""


# Not what is held to seconds: it judges the machine.
OPTIONS = ("-m", "kafka", "-k", "not within_two_seconds")


def main(versions: Sequence[str]) -> int:
    """The command; without versions all."""
    rows = {version: _on(version) for version in versions or _served()}
    _say(f"| Apache Kafka | {' | '.join(PROMISES)} |", "|---" * (1 + len(PROMISES)) + "|")
    for version, found in rows.items():
        _say(f"| {version} | {' | '.join(map(str, found))} |")
    return int(not all(one.well for found in rows.values() for one in found))


def _on(version: str) -> Sequence[Outcome]:
    folder = Path(tempfile.mkdtemp(prefix=f"kafka-{version}-"))
    found = tried(PROMISES, folder, options=OPTIONS, environ=os.environ | {"TEST_KAFKA_VERSION": version})
    _say(f"{version}: {', '.join(map(str, found))}; {folder}")
    return found


def _served() -> Sequence[str]:
    kafka = maven._context(Path(tempfile.mkdtemp())).project("org.apache.kafka", "kafka_2.13")
    kafka.update()
    return newest(list(kafka.metadata.versions), since=OLDEST)


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
