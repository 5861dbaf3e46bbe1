"""Kafka as installed here: a Java, the jars in their cache folder, and how to call them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from producer.demo.broker import jars, maven
from producer.demo.broker.cache import cache_folder
from producer.demo.broker.java import bundled_java, find_java


@dataclass(frozen=True, slots=True)
class Distribution:
    """Java's executable, the jars, the cache folder they are in, and options of Java beyond those for any broker."""

    java: Path
    jars: tuple[Path, ...]
    folder: Path
    options: tuple[str, ...] = ()

    @property
    def archive(self) -> Path:
        """Where Kafka's classes are as archive.py writes them, if it did."""
        return self.folder / "classes.jsa"

    def quickened(self) -> Self:
        """The same with the archive, if there is one; Java ignores one that another Java or other jars are in."""
        return replace(self, options=(f"-XX:SharedArchiveFile={self.archive}",)) if self.archive.exists() else self

    def command(self, main: str, *arguments: str, heap: str) -> list[str]:
        """The command line that runs one of Kafka's main classes."""
        return [
            str(self.java),
            f"-Xmx{heap}",
            # One small broker: start time and memory count, not throughput under load.
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            *self.options,
            "-Djava.net.preferIPv4Stack=true",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
            "-cp",
            os.pathsep.join(map(str, self.jars)),
            main,
            *arguments,
        ]


Install = Callable[[jars.OnProgress | None], Distribution]
"""Finds Java and fetches what is missing of the jars; raises BrokerUnavailable."""


def install(on_progress: jars.OnProgress | None = None) -> Distribution:
    """The Kafka that is pinned."""
    return installed(jars.pinned(), version=jars.KAFKA_VERSION, on_progress=on_progress)


def installed(wanted: Iterable[jars.Jar], *, version: str, on_progress: jars.OnProgress | None) -> Distribution:
    """A Kafka of these jars, in the cache's folder of this version."""
    java = find_java(bundled=bundled_java())
    folder = cache_folder() / f"kafka-{version}"
    paths = jars.provide(wanted, folder=folder, download=maven.download, on_progress=on_progress)
    return Distribution(java, tuple(paths), folder).quickened()
