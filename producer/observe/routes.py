"""The status server's paths: only GET and HEAD, nothing cached, nothing from any other host."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from producer.observe.live import Live, TooManyReaders
from producer.observe.metrics import Metrics
from producer.observe.rendering import page_json, read_page
from producer.observe.status import ServiceStatus, status_json

_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", _POLICY),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


def application(*, status: Callable[[], ServiceStatus], metrics: Metrics, live: Live) -> ASGIApp:
    """The ASGI application of the status server."""
    paths = _Paths(status, metrics, live)
    routes = [
        Route("/healthz", paths.healthz),
        Route("/readyz", paths.readyz),
        Route("/metrics", paths.metrics),
        Route("/status.json", paths.status),
        Route("/live", paths.stream),
        Route("/live.json", paths.frame),
        *(Route(path, paths.file) for path in paths.files),
    ]
    return Starlette(routes=routes, middleware=[Middleware(_Headers)])


class _Paths:
    def __init__(self, status: Callable[[], ServiceStatus], metrics: Metrics, live: Live) -> None:
        self._status = status
        self._metrics = metrics
        self._live = live
        self._scraping = asyncio.Lock()
        self.files = read_page()

    async def healthz(self, _request: Request) -> Response:
        return _verdict(self._status().stuck)

    async def readyz(self, _request: Request) -> Response:
        return _verdict(self._status().unready)

    async def metrics(self, request: Request) -> Response:
        accept = request.headers.get("accept", "")
        async with self._scraping:  # one at a time: polls need threads too
            self._metrics.reflect(self._status())
            # The metrics of 1,000 sources take half a second.
            content, content_type = await asyncio.to_thread(self._metrics.exposition, accept)
        return Response(content, headers={"content-type": content_type})

    async def status(self, _request: Request) -> Response:
        return JSONResponse(status_json(self._status()))

    async def frame(self, _request: Request) -> Response:
        return Response(page_json(self._status()), media_type="application/json")

    async def stream(self, request: Request) -> Response:
        return Response(media_type="text/event-stream") if request.method == "HEAD" else _Frames(self._live)

    async def file(self, request: Request) -> Response:
        content, content_type = self.files[request.url.path]
        return Response(content, headers={"content-type": content_type})


class _Frames(Response):
    """The live frames, for as long as the page stays open; 503 if too many are."""

    def __init__(self, live: Live) -> None:
        super().__init__()
        self._live = live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with self._live.reader() as frames:
                await StreamingResponse(frames, media_type="text/event-stream")(scope, receive, send)
        except TooManyReaders:
            await JSONResponse({"reasons": ["too many open pages"]}, 503)(scope, receive, send)


class _Headers:
    """Puts the same protective headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _verdict(reasons: Sequence[str]) -> Response:
    return JSONResponse({"ok": not reasons, "reasons": list(reasons)}, 503 if reasons else 200)
