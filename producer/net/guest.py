"""uvicorn as a guest: a server within somebody else's event loop, who keeps his signals and says when it ends."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol


class Guest(uvicorn.Server):
    """Serves `app` over connections of the class `http`; `listening` is set once its sockets listen.

    `grace` is in whole seconds: how long requests in hand may go on once it was told to exit.
    """

    def __init__(self, app: ASGIApp, *, http: type[H11Protocol], grace: int, date_header: bool = True) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=http,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,  # it would print query strings and peers
                server_header=False,
                date_header=date_header,
                proxy_headers=False,
                workers=1,  # else uvicorn reads WEB_CONCURRENCY
                timeout_graceful_shutdown=grace,
            )
        )
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
