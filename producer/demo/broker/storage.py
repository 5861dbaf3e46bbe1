"""Formats a node's data folder, as `kafka-storage.sh format` does."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from producer.demo.broker.cache import write_whole

PLACES = ("__cluster_metadata-0/00000000000000000000-0000000000.checkpoint", "bootstrap.checkpoint")
"""Where the tool writes the checkpoint of features: the second until KIP-1170, which came with Kafka 4.4."""
IDS = "meta.properties"
"""Written last: a folder that has it is formatted."""


def new_id() -> str:
    """A random id as Kafka writes them: 22 characters of URL-safe base64, the first no dash, or tools see an option."""
    while (made := _random()).startswith("-"):
        pass
    return made


def _random() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the format tool wrote of features, and where; the same for every node of a version."""

    place: str
    content: bytes

    @classmethod
    def within(cls, folder: Path) -> Self | None:
        """The one that is there; None in a folder that has none."""
        for place in PLACES:
            if (file := folder / place).is_file():
                return cls(place, file.read_bytes())
        return None

    def write(self, folder: Path) -> None:
        """Put it into another folder."""
        file = folder / self.place
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, self.content)


def format_from(checkpoint: Checkpoint, data: Path, *, node_id: int, cluster_id: str) -> None:
    """Does what the tool does, without its second and a half: the ids, and the tool's own checkpoint."""
    checkpoint.write(data)
    ids = f"version=1\ncluster.id={cluster_id}\nnode.id={node_id}\ndirectory.id={new_id()}\n"
    write_whole(data / IDS, ids.encode())
