"""HTTP without sockets: httpx on one side, an ASGI app on the other, in one loop and in virtual time.

httpx.ASGITransport waits for the whole answer before it gives the first byte, so a drip, a stall or a cut in the middle
of the body would look like nothing at all; and the app would run as part of the client's process.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, MutableMapping
from typing import Any

import httpx
from starlette.types import ASGIApp

from tests.simulation.processes import in_world

_HOST = re.compile(r"wv(\d{4})\.wolkvox\.com")


class InMemoryTransport(httpx.AsyncBaseTransport):
    """Calls to `https://wv{server}.wolkvox.com` reach the app as `/wv{server}/…`; `latency` in seconds, each way."""

    def __init__(self, app: ASGIApp, *, latency: Callable[[], float]) -> None:
        self._app = app
        self._latency = latency

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self._latency())
        connection = _Connection(self._latency)
        serving = in_world(self._serve(_scope(request, connection), connection), name="api")
        serving.add_done_callback(connection.served)
        try:
            start = await connection.next()
        except BaseException:  # a cancellation too: the server sees its client gone
            connection.leave()
            raise
        headers = [*start["headers"], (b"connection", b"close")]
        return httpx.Response(start["status"], headers=headers, stream=connection)

    async def _serve(self, scope: dict[str, Any], connection: _Connection) -> None:
        await self._app(scope, connection.receive, connection.send)


class _Connection(httpx.AsyncByteStream):
    """Both ends of one exchange; as the server's transport it can be asked and aborted."""

    def __init__(self, latency: Callable[[], float]) -> None:
        self._latency = latency
        self._messages: asyncio.Queue[MutableMapping[str, Any] | None] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._asked = False

    # The client's end.

    async def next(self) -> MutableMapping[str, Any]:
        message = await self._messages.get()
        if message is None:
            raise httpx.RemoteProtocolError("the connection was cut")
        await asyncio.sleep(self._latency())
        return message

    async def __aiter__(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self.next()
            more = message.get("more_body", False)
            yield message.get("body", b"")

    async def aclose(self) -> None:
        self.leave()

    def leave(self) -> None:
        self._gone.set()

    # The server's end.

    async def receive(self) -> MutableMapping[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self._messages.put_nowait(message)

    def served(self, task: asyncio.Task[Any]) -> None:
        self._messages.put_nowait(None)
        if not task.cancelled() and task.exception() is not None:
            raise AssertionError("the simulated API failed") from task.exception()

    def is_closing(self) -> bool:
        return self._gone.is_set()

    def write(self, _raw: bytes) -> None:
        """Bytes below HTTP mean nothing here: what follows is the end."""

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        self._messages.put_nowait(None)
        self._gone.set()

    def get_extra_info(self, _name: str) -> _Socket:
        return _Socket()


class _Socket:
    def setsockopt(self, *_option: object) -> None:
        """Nothing lingers here."""


def _scope(request: httpx.Request, connection: _Connection) -> dict[str, Any]:
    matched = _HOST.fullmatch(request.url.host)
    if matched is None or request.url.scheme != "https":
        raise httpx.ConnectError("a call to somebody else")
    path = f"/wv{matched[1]}{request.url.path}"
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": request.url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("10.0.0.1", 40000),
        "server": (request.url.host, 443),
        "state": {"transport": connection},
    }
