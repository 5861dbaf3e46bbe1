"""Which Apache Kafka the tests run on: the product's own, or the one that TEST_KAFKA_VERSION names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from producer.demo.broker import jars, pin
from producer.demo.broker.cache import cache_folder, locked, write_whole
from producer.demo.broker.distribution import Distribution, Install, install, installed


def chosen() -> Install:
    """What brokers of the tests are started from."""
    version = os.environ.get("TEST_KAFKA_VERSION")
    return partial(_of_version, version) if version else install


def _of_version(version: str, on_progress: jars.OnProgress | None) -> Distribution:
    return installed(_resolved(version), version=version, on_progress=on_progress)


def _resolved(version: str) -> Sequence[jars.Jar]:
    """As Maven Central has them when they are first asked for; only the product's own are pinned for good."""
    file = cache_folder() / f"kafka-{version}" / "resolved.lock"
    with locked(file.parent):
        if not file.exists():
            write_whole(file, "".join(pin.lines(version)).encode())
    return jars.listed(file.read_text())
