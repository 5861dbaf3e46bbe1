"""The status server: health, readiness, metrics, state and a page for people, in the service's own event loop.

It may fail in any way without the service noticing: no signal handlers of its own, no exit, every wait bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from typing import Final

from producer.net.guest import Guest
from producer.net.listening import address_of
from producer.observe.http_connection import BoundedConnection
from producer.observe.listening import bound
from producer.observe.live import Live
from producer.observe.logs import get_logger
from producer.observe.metrics import Metrics
from producer.observe.names import Named
from producer.observe.rendering import page_json
from producer.observe.routes import application
from producer.observe.status import ServiceStatus

TICK: Final = 2.0
"""Seconds between two updates of an open page."""

_STOP: Final = 3.0

_log = get_logger(__name__)


class StatusServer:
    """Serves `status()` and `metrics` on `host` and `port` (0: any free one); `status` is called at each request."""

    def __init__(
        self, *, host: str, port: int, status: Callable[[], ServiceStatus], metrics: Metrics, tick: float = TICK
    ) -> None:
        self._host = host
        self._port = port
        self._live = Live(render=lambda: page_json(status()), pause=partial(asyncio.sleep, tick))
        self._named = Named(application(status=status, metrics=metrics, live=self._live))
        self._server = Guest(self._named, http=BoundedConnection, grace=1)
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Listen, and give the address that answers, `http://127.0.0.1:8080`; raises SettingsError.

        A caller who would rather go on without a status page catches that.
        """
        sockets = await bound(self._host, self._port)
        self._named.only_loopback = all(ip_address(one.getsockname()[0]).is_loopback for one in sockets)
        self._serving = asyncio.create_task(self._server.serve(sockets), name="status server")
        self._serving.add_done_callback(_tell)
        ready = asyncio.create_task(self._server.listening.wait())
        await asyncio.wait({ready, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        return address_of(sockets[0])

    async def stop(self) -> None:
        """Close within a few seconds, whoever still reads; does nothing if it does not run."""
        self._live.close()
        self._server.should_exit = True
        if self._serving is not None:
            await asyncio.wait({self._serving}, timeout=_STOP)
            self._serving.cancel()


def _tell(serving: asyncio.Task[None]) -> None:
    if not serving.cancelled() and (error := serving.exception()):
        _log.warning("status_unavailable", error=error)
