"""The simulated API as a server: inside an event loop (`async with Simulator() as sim:`), or as a command (`serve`)."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from producer.clock import Clock, SystemClock
from producer.demo.simulator.callcentre import CallCentre, SimulatedHit
from producer.demo.simulator.faults import FaultPlan
from producer.demo.simulator.server import SimulatorServer
from producer.demo.simulator.simulated_api import SimulatedApi
from producer.demo.simulator.simulated_source import ANY_TOKEN, SimulatedSource
from producer.net.listening import listening, url

SERVER = "0042"
TOKEN = "simulated-token"  # noqa: S105  # opens nothing but this simulator

_LOOPBACK = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1"}  # noqa: S104  # to be asked by


class Simulator:
    """The API on `host:port` (0: any free port), each server with its own stream, token and quota.

    The first server's token is `token`, another's `{token}-{server}`; with `any`, every server accepts every token.
    `rate` is in hits a second and server, `window`, `late_by` and `typify_by` in seconds, `late` and `typify_late` are
    shares; `quota` in calls a day and server. `fault` is a name or a plan (see `faults`), its seconds counted from now.
    `start` is when hits begin, in seconds since 1970: by default there always were some, so that the first report is
    full. Raises ValueError for values that can't be.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str = TOKEN,
        servers: Sequence[str] = (SERVER,),
        seed: int = 1,
        rate: float = 1.0,
        window: float = 600.0,
        late: float = 0.05,
        late_by: float | None = None,
        start: float = 0.0,
        typify_late: float = 0.0,
        typify_by: float | None = None,
        quota: int = 100_000,
        fault: str = "",
        clock: Clock | None = None,
    ) -> None:
        if not servers or len(set(servers)) != len(servers):
            raise ValueError("servers: at least one, and each once")
        if not host.strip() or not token.strip():
            raise ValueError("host, token: neither may be empty")
        clock = clock or SystemClock()
        self.host, self.port, self.server = host, port, servers[0]
        self.token = TOKEN if token == ANY_TOKEN else token
        self.sources = {
            server: SimulatedSource(
                server=server,
                token=token if token == ANY_TOKEN or server == servers[0] else f"{token}-{server}",
                centre=CallCentre(
                    f"{seed}/{server}",
                    rate,
                    window,
                    late,
                    late_by,
                    start,
                    typify_late=typify_late,
                    typify_by=typify_by,
                ),
                quota=quota,
                started=clock.now().wall,
            )
            for server in servers
        }
        self.api = SimulatedApi(sources=self.sources, plan=FaultPlan.parse(fault), clock=clock)
        self._server: SimulatorServer | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """The first server's base URL; another's is `url_of(server)`."""
        return url(_LOOPBACK.get(self.host, self.host).strip("[]"), self.port)

    def url_of(self, server: str) -> str:
        """The base URL of any server."""
        return f"{self.url}/wv{server}"

    @property
    def shown(self) -> set[str]:
        """Every conn_id of the first server that an event must exist for: it was in an answer that went out whole."""
        return self.sources[self.server].shown

    @property
    def said(self) -> Mapping[str, Sequence[str]]:
        """What the `hit` of each of the first server's rows that may change has said, in the order shown."""
        return self.sources[self.server].audit.said

    @property
    def never_shown(self) -> list[SimulatedHit]:
        """The first server's hits that left the report without having been in any whole answer since the start."""
        source = self.sources[self.server]
        return source.audit.never_shown(source.centre, self.api.now())

    @property
    def fault(self) -> str | None:
        """The fault of all servers that is on now; setting None turns everything off, a plan too."""
        active = self.api.faults.at(self.api.now())
        return None if active is None else str(active)

    @fault.setter
    def fault(self, name: str | None) -> None:
        self.api.faults.switch(name)

    def stop_calls(self) -> None:
        """No hit occurs from now on; what occurred is still shown for its window."""
        self.api.stop_calls()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition, asked again when a request comes and when it ends: `lambda: sim.polls >= 3`."""
        async with self.api.changed:
            await self.api.changed.wait_for(condition)

    @property
    def polls(self) -> int:
        """Whole answers with status 200 to the report of hits, of all servers."""
        return sum(source.polls for source in self.sources.values())

    async def open(self) -> None:
        """Listen; after a `close` on the same port again, so that an outage can be played. Raises OSError."""
        # The first report may have 60,000 rows to make, half a second of work: before the loop has requests to serve.
        await asyncio.to_thread(self.api.warm_up)
        sockets = await listening(self.host, self.port)
        self.port = self.api.port = sockets[0].getsockname()[1]
        self.api.closing.clear()
        self._server = SimulatorServer(self.api.app())
        self._serving = asyncio.create_task(self._server.serve(sockets))
        await self._server.listening.wait()

    async def close(self) -> None:
        """Stop listening and drop every request in hand."""
        if self._server is None or self._serving is None:
            return
        self.api.closing.set()
        self._server.stopping.set()
        await self._serving
        self._server = self._serving = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


def serve(simulator: Simulator, *, echo: Callable[[str], object]) -> None:
    """Serve until SIGINT or SIGTERM; `echo` gets the settings that point the service here. Raises OSError."""
    asyncio.run(_serve(simulator, echo))


def settings_lines(simulator: Simulator) -> list[str]:
    """What to give to the service: one line of environment for one server, tables for its file if there are more."""
    first = simulator.sources[simulator.server]
    if len(simulator.sources) == 1:
        token = simulator.token
        return [f"WOLKVOX_URL={simulator.url} WOLKVOX_SERVER={first.server} WOLKVOX_TOKEN={token}"]
    return [
        f'[[source]]\nserver = "{source.server}"\nurl = "{simulator.url_of(source.server)}"\n'
        f'token = "{simulator.token if source.token == ANY_TOKEN else source.token}"\n'
        for source in simulator.sources.values()
    ]


def server_names(count: int, *, first: str = SERVER) -> list[str]:
    """So many servers from the first on: 0042, 0043 …"""
    return [f"{int(first) + number:04}" for number in range(count)]


async def _serve(simulator: Simulator, echo: Callable[[str], object]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with simulator:
        for line in settings_lines(simulator):
            echo(line)
        await stop.wait()
