"""Who may be asked for: a page on loopback answers only by a name of loopback.

A stranger's site can point its own name at 127.0.0.1 (DNS rebinding): the browser then lets its scripts read the page,
as one of that site's own. The Host header still has the stranger's name.
"""

from __future__ import annotations

from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_REFUSED = (
    "this page listens on loopback and is asked by localhost, 127.0.0.1 or [::1] only; "
    "a proxy before it must send one of them as Host"
)


class Named:
    """The application, which answers 403 to any other name while `only_loopback`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.only_loopback = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = Headers(scope=scope).get("host") if scope["type"] == "http" else None
        # None: HTTP/1.0, which no browser speaks.
        refused = self.only_loopback and host is not None and not _is_loopback(host)
        await (JSONResponse({"reasons": [_REFUSED]}, 403) if refused else self._app)(scope, receive, send)


def _is_loopback(host: str) -> bool:
    """Of a Host header's name, whatever port it names: a forwarded one differs from ours."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    try:
        return name.lower() == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
