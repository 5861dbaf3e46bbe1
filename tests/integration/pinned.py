"""Jars of Java's world beside Kafka's own, by a pinned list, kept where the brokers' are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from producer.demo.broker import BrokerUnavailable, jars, maven
from producer.demo.broker.cache import cache_folder


def provided(wanted: Sequence[jars.Jar], *, what: str, folder: str) -> list[Path]:
    """Their files, fetched where they are missing; raises BrokerUnavailable, which says that `what` can't be had."""
    try:
        return jars.provide(wanted, folder=cache_folder() / folder, download=maven.download)
    except BrokerUnavailable as error:
        # Its own text is Kafka's.
        raise BrokerUnavailable(f"{what} can't be had here: {error.__cause__}") from error
