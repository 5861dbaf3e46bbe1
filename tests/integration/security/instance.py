"""The service as a process of its own, configured by its environment alone, and what it says."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

PATIENCE = 20.0
"""Seconds within which a refusal must have ended the service, and an event must have been published."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended; `words` is what it told whoever started it, `text` all that it ever wrote."""

    code: int
    words: str
    text: str


@dataclass(slots=True)
class Instance:
    """A running service; `lines` are its log so far."""

    process: asyncio.subprocess.Process
    lines: list[dict[str, Any]] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    ended: bool = False

    async def says(self, event: str, *, after: int = 0) -> int:
        """The number of the first line with this event from line `after` on; fails if the service ends before."""
        async with asyncio.timeout(PATIENCE), self.changed:
            await self.changed.wait_for(lambda: self.ended or self._find(event, after) is not None)
        found = self._find(event, after)
        assert found is not None, f"ended without {event}: {self.plain or self.lines[-3:]}"
        return found

    async def end(self) -> Ended:
        """Wait until it ends of itself, as it must within PATIENCE."""
        async with asyncio.timeout(PATIENCE), self.changed:
            await self.changed.wait_for(lambda: self.ended)
        code = await self.process.wait()
        return Ended(code, "\n".join(self.plain), "\n".join([*self.plain, *map(json.dumps, self.lines)]))

    async def listen(self) -> None:
        """Collect its lines until it has no more to say."""
        assert self.process.stdout
        async for raw in self.process.stdout:
            text = raw.decode().rstrip()
            try:
                self.lines.append(json.loads(text))
            except ValueError:
                self.plain.append(text)
            async with self.changed:
                self.changed.notify_all()
        self.ended = True
        async with self.changed:
            self.changed.notify_all()

    def _find(self, event: str, after: int) -> int | None:
        return next((at for at, line in enumerate(self.lines) if at >= after and line["event"] == event), None)


@asynccontextmanager
async def running(environment: Mapping[str, str]) -> AsyncIterator[Instance]:
    """`run` with these settings, killed at the end."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "producer", "run"),
        env=inherited | {"LOG_FORMAT": "json", "STATUS_PORT": "0", "POLL_INTERVAL": "1s", **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    instance = Instance(process)
    listening = asyncio.create_task(instance.listen())
    try:
        yield instance
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await listening
        await process.wait()
