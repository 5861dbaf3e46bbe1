"""Kafka's jars: a pinned list, fetched once from Maven Central by jgo and believed only if the SHA-256 is right.

The list is what jgo resolves for `requested`; `python -m producer.demo.broker.pin` writes it anew for another version.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from producer.demo.broker.cache import locked
from producer.demo.broker.errors import BrokerUnavailable

KAFKA_VERSION = "4.1.1"
LOCK_FILE = f"kafka-{KAFKA_VERSION}.lock"

PAUSES = (0.5, 2.0)
"""Seconds before each further attempt at a jar: one of 46 failing once is everyday life."""

Download = Callable[[str, Path], Path]
"""Fetches one coordinate (`group:artifact:version`) into a folder and returns the file."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the pinned list: SHA-256, bytes, Maven coordinate."""

    sha256: str
    size: int
    coordinate: str

    @property
    def filename(self) -> str:
        """The name Maven gives the file: `artifact-version.jar`."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"

    def is_in(self, folder: Path) -> bool:
        """Whether `folder` has it; a file only gets its name there when it is whole, so the size is check enough."""
        path = folder / self.filename
        return path.is_file() and path.stat().st_size == self.size


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the fetching is: jars and megabytes (10^6 bytes) present, of how many."""

    jars: int
    jars_total: int
    megabytes: float
    megabytes_total: float


OnProgress = Callable[[Progress], None]


def requested(version: str) -> Sequence[str]:
    """The coordinates that bring a whole Apache Kafka."""
    return (f"org.apache.kafka:kafka_2.13:{version}", "org.slf4j:slf4j-simple:1.7.36")


def pinned() -> tuple[Jar, ...]:
    """The jars of Apache Kafka `KAFKA_VERSION`, in class path order."""
    return listed(resources.files(__package__).joinpath(LOCK_FILE).read_text())


def listed(text: str) -> tuple[Jar, ...]:
    """The jars of a list as `pin` writes it."""
    fields = (line.split() for line in text.splitlines())
    return tuple(Jar(sha256, int(size), coordinate) for sha256, size, coordinate in fields)


def provide(
    jars: Iterable[Jar],
    *,
    folder: Path,
    download: Download,
    on_progress: OnProgress | None = None,
    pauses: Sequence[float] = PAUSES,
) -> list[Path]:
    """The jars' files in `folder`, the missing ones fetched first; raises BrokerUnavailable.

    Safe against being killed at any point and against other processes that do the same at the same time.
    """
    wanted = tuple(jars)
    if not all(jar.is_in(folder) for jar in wanted):
        try:
            with locked(folder):
                tally = _Tally(wanted, folder, on_progress or (lambda _: None))
                _fetch(tally, folder, _Attempts(download, tuple(pauses)))
        except (OSError, RuntimeError) as error:
            raise BrokerUnavailable(_advice(wanted, folder, error)) from error
    return [folder / jar.filename for jar in wanted]


def _fetch(tally: _Tally, folder: Path, attempts: _Attempts) -> None:
    partial = folder / "partial"
    shutil.rmtree(partial, ignore_errors=True)  # what a killed predecessor left: we hold the lock, so nobody uses it
    partial.mkdir()
    pool = ThreadPoolExecutor(max_workers=6, thread_name_prefix="jars")
    try:
        for _ in pool.map(lambda jar: tally.add(attempts.fetch(jar, folder, partial)), tally.missing):
            pass
    finally:
        pool.shutdown(cancel_futures=True)
        shutil.rmtree(partial, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Attempts:
    download: Download
    pauses: tuple[float, ...]

    def fetch(self, jar: Jar, folder: Path, partial: Path) -> Jar:
        for pause in self.pauses:
            try:
                return self._once(jar, folder, partial)
            except (OSError, RuntimeError):
                time.sleep(pause)
        return self._once(jar, folder, partial)

    def _once(self, jar: Jar, folder: Path, partial: Path) -> Jar:
        with tempfile.TemporaryDirectory(dir=partial) as scratch:
            _checked(jar, self.download(jar.coordinate, Path(scratch))).replace(folder / jar.filename)
        return jar


def _checked(jar: Jar, file: Path) -> Path:
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != jar.sha256:
        raise OSError(f"{jar.filename} arrived with SHA-256 {found}, pinned is {jar.sha256}")
    return file


def _advice(wanted: Iterable[Jar], folder: Path, error: Exception) -> str:
    missing = [jar for jar in wanted if not jar.is_in(folder)]
    return (
        f"Apache Kafka is not complete in {folder}: {len(missing)} jars are missing "
        f"({', '.join(jar.filename for jar in missing[:3])}{', ...' if len(missing) > 3 else ''}). "
        f"Fetching them from Maven Central failed: {type(error).__name__}: {error}. Let this machine reach it "
        "(HTTPS_PROXY is honoured), or set WOLKVOX_HITS_CACHE to a folder filled on another machine; "
        "tests can use another cluster through TEST_KAFKA_BOOTSTRAP."
    )


class _Tally:
    """Counts what has arrived; several threads add to it, the callback is called by one at a time."""

    def __init__(self, wanted: tuple[Jar, ...], folder: Path, on_progress: OnProgress) -> None:
        self.missing = tuple(jar for jar in wanted if not jar.is_in(folder))
        self._jars, self._bytes = len(wanted), sum(jar.size for jar in wanted)
        self._jars_left, self._bytes_left = len(self.missing), sum(jar.size for jar in self.missing)
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._report()

    def add(self, jar: Jar) -> None:
        with self._lock:
            self._jars_left -= 1
            self._bytes_left -= jar.size
            self._report()

    def _report(self) -> None:
        present = (self._bytes - self._bytes_left) / 1e6
        self._on_progress(Progress(self._jars - self._jars_left, self._jars, present, self._bytes / 1e6))
