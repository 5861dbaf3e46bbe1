"""A disk of a few megabytes of its own for a broker, that a test can fill up."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

MEGABYTES = 128


class SmallDisk:
    """A tmpfs at `path`; `mount` raises OSError where one may not mount."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def mount(self) -> None:
        """Mount it, empty."""
        self.path.mkdir()
        options = ["-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(self.path)]
        done = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise PermissionError(done.stderr.strip() or f"mount ended with {done.returncode}")

    def unmount(self) -> None:
        """Let it go, whatever is still on it."""
        subprocess.run(["umount", "--lazy", str(self.path)], check=True)

    def fill(self) -> None:
        """From now on there is room for nothing more."""
        with self._ballast.open("wb") as file:
            while free := os.statvfs(self.path).f_bavail * os.statvfs(self.path).f_frsize:
                with suppress(OSError):  # the broker was quicker and has less left for us
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), free)

    def free(self) -> None:
        """The room is back."""
        self._ballast.unlink()
