"""One Kafka node: a JVM under its guard, a folder, and ports that stay the same across restarts."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from producer.demo.broker import readiness, storage
from producer.demo.broker.distribution import Distribution, Install, install
from producer.demo.broker.errors import BrokerUnavailable
from producer.demo.broker.guarded import Guarded
from producer.demo.broker.jars import OnProgress
from producer.demo.broker.ports import Ports
from producer.demo.broker.properties import NodePlan, render, server_properties

START_TIMEOUT = 60.0  # seconds; it takes about 3 on two idle cores
STOP_TIMEOUT = 20.0  # seconds for a clean stop, before it is killed after all
POLL = 0.05


class Node:
    """A broker (and controller) as a process that can be started, stopped, killed, suspended, each as often as wanted.

    Data and ports last from the first start to `close()`, data in the folder `kept` for good. All methods block until
    what they say is so; those that start raise BrokerUnavailable with the end of the broker's log when it is not.
    """

    def __init__(
        self,
        plan: NodePlan,
        ports: Ports,
        *,
        heap: str = "512m",
        format_arguments: Sequence[str] = (),
        kept: Path | None = None,
        classpath: Sequence[Path] = (),
        install: Install = install,
        on_progress: OnProgress | None = None,
    ) -> None:
        self._plan = plan
        self._ports = ports
        self._heap = heap
        self._format_arguments = tuple(format_arguments)
        self._kept = kept
        self._classpath = tuple(classpath)
        self._install = install
        self._on_progress = on_progress
        self._guarded: Guarded | None = None
        self._distribution: Distribution | None = None
        self._closed = False
        self.pid: int | None = None
        """The JVM's process id; None while it does not run."""

    @property
    def bootstrap(self) -> str:
        """`127.0.0.1:PORT` of the clients' first listener; known, and ours, before the start too."""
        return self.address(next(iter(self._plan.protocols)))

    def address(self, listener: str) -> str:
        """`127.0.0.1:PORT` of the listener of that name; `INTERNAL` is the one in plain text where all are secured."""
        return f"127.0.0.1:{self._plan.ports[listener]}"

    @property
    def internal_port(self) -> int:
        """The port of the plain-text listener that brokers use among themselves."""
        return self._plan.ports[self._plan.internal]

    @property
    def folder(self) -> Path:
        """Where server.properties, broker.log and the data are, from the first start to `close()`."""
        return self._running().folder

    @property
    def running(self) -> bool:
        """Whether the process exists, suspended or not."""
        if self.pid is not None and self._running().exit_status() is not None:
            self.pid = None
        return self.pid is not None

    def start(self) -> None:
        """Starts it, on the data of the time before if there was one, and waits until it serves."""
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """The first half of `start()`: for several nodes that need one another to become ready."""
        if self.running:
            return
        self._distribution = distribution = self._distribution or self._installed()
        if self._closed:  # perhaps by another thread, while jars were fetched here
            raise BrokerUnavailable("This broker was closed.")
        self._guarded = guarded = self._guarded or Guarded(self._kept)
        self._prepare(distribution, guarded)
        self.pid = guarded.run(distribution.command("kafka.Kafka", "server.properties", heap=self._heap))

    def await_ready(self, expected: Collection[int] = ()) -> None:
        """The second half: until the node lists itself, and the brokers on the internal ports `expected`, as alive."""
        wanted = {self.internal_port, *expected}
        deadline = time.monotonic() + START_TIMEOUT
        while not wanted <= readiness.alive(self.internal_port):
            status = self._running().exit_status(within=POLL)
            if status is not None:
                self.pid = None
                raise self.failure(f"Kafka ended with status {status} while starting.")
            if time.monotonic() > deadline:
                raise self.failure(f"Kafka is not ready after {START_TIMEOUT:.0f} s.")

    def stop(self) -> None:
        """Ends it in order (SIGTERM); killed if that takes longer than STOP_TIMEOUT."""
        if not self.running:
            return
        self._running().signal(signal.SIGTERM)
        self.resume()  # a suspended process would never hear of it
        if self._running().exit_status(within=STOP_TIMEOUT) is None:
            self.kill()
        self.pid = None

    def kill(self) -> None:
        """Ends it at once (SIGKILL); its connections break, its data stay."""
        if not self.running:
            return
        self._running().signal(signal.SIGKILL)
        while self._running().exit_status(within=POLL) is None:
            pass
        self.pid = None

    def restart(self) -> None:
        """Stops it if it runs, and starts it on the same ports and data."""
        self.stop()
        self.start()

    def suspend(self) -> None:
        """Freezes it (SIGSTOP): connections stay open, nobody answers."""
        self._running().signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets it go on (SIGCONT)."""
        self._running().signal(signal.SIGCONT)

    def failure(self, what: str) -> BrokerUnavailable:
        """An error that says what happened, and the last that the broker said."""
        log = (self.folder / "broker.log").read_text(errors="replace").splitlines()
        return BrokerUnavailable("\n    ".join([what, "The end of its log:", *log[-20:]]))

    def close(self) -> None:
        """Ends it for good: process, folder and ports."""
        self._closed = True
        self._discard()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:  # Ctrl-C too: `__exit__` is not called for what did not enter
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _installed(self) -> Distribution:
        found = self._install(self._on_progress)
        return replace(found, jars=(*found.jars, *self._classpath))

    def _prepare(self, distribution: Distribution, guarded: Guarded) -> None:
        properties = render(server_properties(self._plan, guarded.folder))
        (guarded.folder / "server.properties").write_text(properties)
        data = guarded.folder / "data"
        if (data / storage.IDS).exists():
            return
        shutil.rmtree(data, ignore_errors=True)  # a format that was killed halfway; without its ids nothing ran on it
        if (checkpoint := storage.Checkpoint.within(distribution.folder)) and not self._format_arguments:
            plan = self._plan
            storage.format_from(checkpoint, data, node_id=plan.node_id, cluster_id=plan.cluster_id)
            return
        arguments = ("format", "-t", self._plan.cluster_id, "-c", "server.properties", *self._format_arguments)
        guarded.run(distribution.command("kafka.tools.StorageTool", *arguments, heap=self._heap))
        status = guarded.exit_status(within=START_TIMEOUT)
        if status != 0:
            raise self.failure(f"Kafka's format tool ended with status {status}.")
        if not self._format_arguments and (written := storage.Checkpoint.within(data)):
            written.write(distribution.folder)  # saves the next node the run of the tool

    def _running(self) -> Guarded:
        if not self._guarded:
            raise BrokerUnavailable("This broker was closed, or never started.")
        return self._guarded

    def _discard(self) -> None:
        if self._guarded:
            self._guarded.close()
        self._guarded = self.pid = None
        self._ports.close()
