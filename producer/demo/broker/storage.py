"""Formats a node's data folder, as `kafka-storage.sh format` does."""

from __future__ import annotations

import base64
import uuid
from pathlib import Path

from producer.demo.broker.cache import write_whole

CHECKPOINT = "bootstrap.checkpoint"
IDS = "meta.properties"
"""Written last: a folder that has it is formatted."""


def new_id() -> str:
    """A random id as Kafka writes them: 22 characters of URL-safe base64, the first no dash, or tools see an option."""
    while (made := _random()).startswith("-"):
        pass
    return made


def _random() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()


def format_from(checkpoint: bytes, data: Path, *, node_id: int, cluster_id: str) -> None:
    """Does what the tool does, without its second and a half: the ids, and the tool's own checkpoint of features."""
    data.mkdir()
    (data / CHECKPOINT).write_bytes(checkpoint)
    ids = f"version=1\ncluster.id={cluster_id}\nnode.id={node_id}\ndirectory.id={new_id()}\n"
    write_whole(data / IDS, ids.encode())
