"""The service of a demo: a process of its own, under a guard, so that it can't outlive the demo."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import orjson

from producer.demo.broker.guarded import STEP, Guarded
from producer.errors import WolkvoxHitsError

LOG = "service.log"
_OURS = ("WOLKVOX_", "POLL_", "RECOVER_", "DEDUP_", "KAFKA_", "PENDING_", "STATUS_", "LOG_")


class ServiceFailed(WolkvoxHitsError):
    """The service did something that a demo does not have; the text ends with the end of its log."""


class Instance:
    """`python -m producer run` with `settings` as its environment; one process at a time, its log in one file."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = {**settings, "LOG_FORMAT": "json"}
        self._guarded = Guarded()
        self._log = self._guarded.folder / LOG
        self._log.touch()
        self._begins = 0
        self._http = httpx.AsyncClient(trust_env=False, timeout=1.0)
        self.pid: int | None = None
        """None while none runs."""

    def start(self) -> None:
        """Start a process; its configuration is its environment and nothing else."""
        self._begins = self._log.stat().st_size
        self.pid = self._guarded.run(
            [
                *("/bin/sh", "-c", f'exec "$@" >>{LOG} 2>&1', "sh"),
                *("env", *_unset(os.environ), *(f"{name}={value}" for name, value in self._settings.items())),
                *(sys.executable, "-m", "producer", "run"),
            ]
        )

    def kill(self) -> None:
        """SIGKILL: it ends where it stands."""
        self._guarded.signal(signal.SIGKILL)
        while self._guarded.exit_status(within=STEP) is None:
            pass
        self.pid = None

    def ask_to_end(self) -> None:
        """SIGTERM: it should end in order, within 10 s."""
        self._guarded.signal(signal.SIGTERM)

    def exit_status(self) -> int | None:
        """None while it runs."""
        status = self._guarded.exit_status() if self.pid is not None else 0
        if status is not None:
            self.pid = None
        return status

    def failure(self, what: str) -> ServiceFailed:
        """An error that says what happened, and the last that the service said."""
        lines = self._log.read_text(errors="replace").splitlines()[-15:]
        return ServiceFailed("\n    ".join([what, "The end of its log:", *lines]))

    def facts(self, event: str) -> Iterator[dict[str, Any]]:
        """The log lines of one kind that the present process has written."""
        for line in self._log.read_bytes()[self._begins :].splitlines():
            try:
                fact = orjson.loads(line)
            except orjson.JSONDecodeError:  # the line is being written, or a library printed it
                continue
            if isinstance(fact, dict) and fact.get("event") == event:
                yield fact

    async def state(self) -> str:
        """How its one source is, in the words of its own /status.json."""
        listening = next(self.facts("status_listening"), None)
        if self.pid is None:
            return "has ended"
        if listening is None:
            return "starts"
        try:
            answer = await self._http.get(f"{listening['url']}/status.json")
            return str(answer.json()["sources"][0]["state"])
        except (httpx.HTTPError, ValueError, LookupError):
            return "does not answer"

    async def close(self) -> None:
        """End it at once, if it still runs; its log goes with it."""
        self._guarded.close()
        await self._http.aclose()


def _unset(environ: Mapping[str, str]) -> Iterator[str]:
    """Arguments for env(1): settings of a real operation, and proxies that would not find this machine's loopback."""
    for name in environ:
        if name.startswith(_OURS) or name.lower().endswith("_proxy"):
            yield from ("-u", name)
