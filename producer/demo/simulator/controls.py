"""The controls of the simulator over HTTP: what was shown, which fault is on, no more calls, calls typified late.

They are nobody's secret and ask for no token: a simulator holds no real data.
"""

from __future__ import annotations

import math
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from producer.demo.simulator.faults import FaultSwitch
from producer.demo.simulator.simulated_source import SimulatedSource

TOKEN_HEADER = "wolkvox-token"  # noqa: S105  # the header's name


class Controlled(Protocol):
    """What the controls need of the simulated API."""

    faults: FaultSwitch
    strayed: int
    leaked: int

    def now(self) -> float: ...
    def stop_calls(self) -> None: ...
    def typify_late(self, share: float) -> None: ...
    def source(self, scope: Scope) -> SimulatedSource | None: ...


class Controls:
    """The endpoints; with a server in the path they are about that server only."""

    def __init__(self, api: Controlled) -> None:
        self._api = api

    def routes(self) -> list[Route]:
        """Everything but the place where strayed requests end."""
        return [
            Route("/__audit", self.audit),
            Route("/__fault", self.fault, methods=["GET", "POST", "DELETE"]),
            Route("/__stop", self.stop, methods=["POST"]),
            Route("/__typify", self.typify, methods=["POST"]),
        ]

    async def audit(self, request: Request) -> Response:
        """Everything that was shown, and what left the report unseen."""
        source = self._api.source(request.scope)
        if source is None:
            return Response(status_code=404)
        unseen = source.audit.never_shown(source.centre, self._api.now())
        return JSONResponse(
            {
                "server": source.server,
                "requests": source.requests,
                "polls": source.polls,
                "leaked_tokens": self._api.leaked,
                "shown": list(source.audit.shown),
                "said": source.audit.said,
                "never_shown": [
                    {"conn_id": hit.conn_id, "occurred_at": hit.occurred_at, "visible_at": hit.visible_at}
                    for hit in unseen
                ],
            }
        )

    async def fault(self, request: Request) -> Response:
        """Show, switch on or take back."""
        source = self._api.source(request.scope)
        if source is None:
            return Response(status_code=404)
        switch = source.faults if "server" in request.path_params else self._api.faults
        try:
            if request.method == "DELETE":
                switch.switch(None)
            elif request.method == "POST":
                asked = await request.json()
                switch.switch(asked["fault"], until=self._api.now() + float(asked.get("for", math.inf)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return JSONResponse({"error": f'{error}; send {{"fault": "html", "for": 10}}'}, status_code=400)
        active = switch.at(self._api.now())
        return JSONResponse({"fault": active and str(active)})

    async def stop(self, request: Request) -> Response:
        """No hit occurs from now on."""
        if "server" not in request.path_params:
            self._api.stop_calls()
        elif (source := self._api.source(request.scope)) is not None:
            source.stop_calls(self._api.now())
        return Response(status_code=204)

    async def typify(self, request: Request) -> Response:
        """A share of the calls from now on is typified after its row is first shown."""
        try:
            share = float((await request.json())["late"])
            if "server" not in request.path_params:
                self._api.typify_late(share)
            elif (source := self._api.source(request.scope)) is not None:
                source.typify_late(share, self._api.now())
        except (ValueError, KeyError, TypeError) as error:
            return JSONResponse({"error": f'{error}; send {{"late": 0.2}}'}, status_code=400)
        return Response(status_code=204)

    async def elsewhere(self, request: Request) -> Response:
        """Where `redirect-away` leads: nobody should come here, least of all with a token."""
        self._api.strayed += 1
        self._api.leaked += TOKEN_HEADER in request.headers
        return JSONResponse({"code": 200, "error": None, "msg": "0 records were found", "data": []})
