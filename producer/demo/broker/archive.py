"""Kafka's classes as Java keeps them in memory, in a file beside the jars: with it a broker costs half of the processor
time to start (1.2 s for 2.3).

`python -m producer.demo.broker.archive` writes it, unless Java can use the one that is there. Whoever starts brokers by
the hundred does so first, as `make test`; nobody else is made to wait for it, and without it they only start slower.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from producer.demo.broker.cache import locked
from producer.demo.broker.distribution import Distribution, install
from producer.demo.broker.embedded import EmbeddedKafka
from producer.demo.broker.errors import BrokerUnavailable

TIMEOUT = 120  # seconds for Java to write it; it takes about 4 on an idle core


def usable(kafka: Distribution) -> bool:
    """Whether this Java takes the file for these jars; it compares its own build, the options, and each jar's date."""
    return _java(kafka, "-version", "-Xshare:on", f"-XX:SharedArchiveFile={kafka.archive}").returncode == 0


def partial(kafka: Distribution) -> Path:
    """The folder beside the file in which it is written; nobody may write there at the same time."""
    return kafka.folder / "partial-archive"


def write(kafka: Distribution) -> None:
    """Writes the file, of what a broker loads that starts and stops; raises BrokerUnavailable or OSError.

    It gets its name when it is whole. Brokers that run on the one before keep that.
    """
    scratch = partial(kafka)
    shutil.rmtree(scratch, ignore_errors=True)  # 60 MB, if a predecessor was killed
    scratch.mkdir()
    try:
        _write(kafka, loaded=scratch / "loaded", made=scratch / "archive")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write(kafka: Distribution, *, loaded: Path, made: Path) -> None:
    listing = replace(kafka, options=(f"-XX:DumpLoadedClassList={loaded}",))
    with EmbeddedKafka(install=lambda _: listing) as broker:
        broker.stop()  # in order: a list that is cut is refused
    dumped = _java(
        kafka, "kafka.Kafka", "-Xshare:dump", f"-XX:SharedClassListFile={loaded}", f"-XX:SharedArchiveFile={made}"
    )
    if dumped.returncode != 0 or not made.exists():  # a full disk leaves a part of it
        said = "\n    ".join(dumped.stdout.splitlines()[-5:])
        raise BrokerUnavailable(f"Java ended with status {dumped.returncode} and wrote none:\n    {said}")
    made.replace(kafka.archive)


def main() -> None:
    """The command; ends well without a file too, since all can do without."""
    try:
        kafka = install()
        with locked(kafka.folder):
            if not usable(kafka):
                write(kafka)
    except (BrokerUnavailable, OSError, subprocess.TimeoutExpired) as error:
        sys.stderr.write(f"Brokers start slower than they could, for want of an archive of Kafka's classes: {error}\n")


def _java(kafka: Distribution, main: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = replace(kafka, options=options).command(main, heap="512m")
    return subprocess.run(  # noqa: S603  # the Java that runs the brokers
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT, check=False
    )


if __name__ == "__main__":
    main()
