"""A running service as its operator has it: a process with an environment, its log lines, its status page, signals."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

REPOSITORY = Path(__file__).resolve().parents[3]
PATIENCE = 40.0
"""Seconds to wait for a fact that must come; several times what any of them takes."""

Line = Mapping[str, Any]


class Instance:
    """One process of the service; `lines` are its log lines so far."""

    def __init__(self, *, name: str, environment: Mapping[str, str], program: Sequence[str]) -> None:
        self.name = name
        self.lines: list[Line] = []
        self.raw: list[str] = []
        self._environment = environment
        self._program = program
        self._told = asyncio.Condition()
        self._silent = False
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def process(self) -> Process:
        assert self._process is not None, f"{self.name} was not started"
        return self._process

    @property
    def alive(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it; nothing but `environment` reaches it."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, *self._program, stdout=PIPE, stderr=PIPE, env=self._environment, cwd=REPOSITORY
        )
        self._reading = asyncio.create_task(self._read())

    def mark(self) -> int:
        """Where the log stands now, for `until(since=)`."""
        return len(self.lines)

    async def until(
        self,
        event: str,
        *,
        since: int = 0,
        within: float = PATIENCE,
        where: Callable[[Line], bool] = lambda _: True,
        **fields: Any,
    ) -> Line:
        """The first line since a mark that tells this fact with these fields; fails if the process ends before."""

        def found() -> Line | None:
            told = (line for line in self.lines[since:] if line.get("event") == event)
            return next((line for line in told if fields.items() <= line.items() and where(line)), None)

        try:
            async with asyncio.timeout(within), self._told:
                await self._told.wait_for(lambda: found() is not None or self._silent)
        except TimeoutError:
            raise AssertionError(f"{self.name}: no {event} {fields} within {within:g} s{self.last_words()}") from None
        line = found()
        assert line is not None, f"{self.name} ended before {event} {fields}{self.last_words()}"
        return line

    async def until_says(self, pattern: str, *, within: float = PATIENCE) -> re.Match[str]:
        """The first line, of a log or not, that has the pattern in it; fails if the process ends before."""

        def found() -> re.Match[str] | None:
            return next((match for line in self.raw if (match := re.search(pattern, line))), None)

        try:
            async with asyncio.timeout(within), self._told:
                await self._told.wait_for(lambda: found() is not None or self._silent)
        except TimeoutError:
            raise AssertionError(f"{self.name}: no {pattern!r} within {within:g} s{self.last_words()}") from None
        match = found()
        assert match is not None, f"{self.name} ended before {pattern!r}{self.last_words()}"
        return match

    def told(self, event: str, *, since: int = 0) -> list[Line]:
        """All lines of one fact."""
        return [line for line in self.lines[since:] if line.get("event") == event]

    async def get(self, path: str) -> httpx.Response:
        """A page of its status server."""
        line = await self.until("status_listening")
        async with httpx.AsyncClient(timeout=5) as client:
            return await client.get(line["url"].rstrip("/") + path)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.alive:
            self.process.send_signal(number)

    async def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        self.send(signal.SIGKILL)
        await self.ended()

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Ask it to end; the seconds that this took. Fails if it does not end with 0 or in twice its 10 s."""
        began = time.monotonic()
        self.send(number)
        assert await self.ended(within=20.0) == 0, f"{self.name} ended with {self.process.returncode}"
        return time.monotonic() - began

    async def ended(self, *, within: float = PATIENCE) -> int:
        """Its exit code, once it has ended."""
        try:
            async with asyncio.timeout(within):
                await self.process.wait()
        except TimeoutError:
            raise AssertionError(f"{self.name} did not end within {within:g} s{self.last_words()}") from None
        if self._reading is not None:
            await self._reading
        return self.process.returncode or 0

    def last_words(self, lines: int = 25) -> str:
        """The end of its log, for the text of a failure."""
        return "".join(f"\n    {line}" for line in ["; the end of its log:", *self.raw[-lines:]])

    async def _read(self) -> None:
        output, log = self.process.stdout, self.process.stderr
        assert output is not None
        assert log is not None
        await asyncio.gather(self._lines(output), self._lines(log))
        self._silent = True
        await self._tell()

    async def _lines(self, stream: asyncio.StreamReader) -> None:
        async for raw in stream:
            text = raw.decode(errors="replace").rstrip("\n")
            self.raw.append(text)
            if text.startswith("{"):
                self.lines.append(json.loads(text))
            await self._tell()

    async def _tell(self) -> None:
        async with self._told:
            self._told.notify_all()
