"""The simulator's server, with a way for an endpoint to reach its connection."""

from __future__ import annotations

import asyncio
import socket

from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from producer.net.guest import Guest


class Connection(H11Protocol):
    """Puts its transport into `scope["state"]["transport"]`: ASGI has no word for cutting a connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        # asyncio does this only for sockets made with IPPROTO_TCP; else each small answer waits 40 ms for an ACK.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, "transport": transport}


class SimulatorServer(Guest):
    """Ends when `stopping` is set; the app sends its own Date header."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, http=Connection, grace=2, date_header=False)
        self.stopping = asyncio.Event()

    async def main_loop(self) -> None:
        # uvicorn's own asks ten times a second whether to end, and refreshes the Date header that is off here.
        await self.stopping.wait()
