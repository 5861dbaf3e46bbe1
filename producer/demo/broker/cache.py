"""Where jars and what is derived from them are kept between runs."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """WOLKVOX_HITS_CACHE, else `wolkvox-hits` under XDG_CACHE_HOME or ~/.cache; it need not exist yet."""
    if chosen := environ.get("WOLKVOX_HITS_CACHE"):
        return Path(chosen).expanduser()
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "wolkvox-hits"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds `folder` (made if missing) against other processes; the kernel lets go of it when the holder dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_whole(target: Path, content: bytes) -> None:
    """Writes `target` so that no reader ever sees a part of it."""
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".new-", delete=False) as file:
        file.write(content)
    Path(file.name).replace(target)
