"""The endpoints of the simulated API, and the state behind them.

/api/v2/real_time.php?api=hits_last_hour      the first server's report
/api/v2/information.php?api=token_info        what its quota allows
/api/v2/information.php?api=activity_codes    which codes are hits; and by date_ini and date_end:
/api/v2/reports_manager.php?api=cdr_1         calls
/api/v2/reports_manager.php?api=chat_1        chats
/wv0043/api/v2/…                              the same of any server
GET /__audit                                  the first server: {"shown": [ids], "never_shown": [hits], …}
GET, POST, DELETE /__fault                    {"fault": "html", "for": 10}, for all servers
POST /__stop                                  no hit occurs from now on
POST /__typify                                {"late": 0.2}: so many of the calls from now on are typified late
/wv0043/__audit, /wv0043/__fault              the same for one server
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from email.utils import formatdate

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from producer.clock import Clock
from producer.demo.simulator.answers import SIMULTANEOUS, Answer, Report
from producer.demo.simulator.controls import TOKEN_HEADER, Controls
from producer.demo.simulator.faults import ActiveFault, FaultPlan, FaultSwitch
from producer.demo.simulator.faults_wire import MOVED
from producer.demo.simulator.historical import HISTORY, Asked, Flaw, historical
from producer.demo.simulator.simulated_source import HITS, SimulatedSource
from producer.demo.simulator.wire import Wire

ELSEWHERE = "/__elsewhere"
SIMULTANEOUS_LIMIT = 2
_WORTH_A_THREAD = 64 * 1024


class SimulatedApi:
    """All servers of one simulator; `first` is the server that answers without a prefix."""

    def __init__(self, *, sources: Mapping[str, SimulatedSource], plan: FaultPlan, clock: Clock) -> None:
        self.sources = sources
        self.first = next(iter(sources.values()))
        self.clock = clock
        self.faults = FaultSwitch(plan, started=clock.now().wall)
        self.port = 0
        self.strayed = 0
        """Requests that followed `redirect-away`."""
        self.leaked = 0
        """Those of them that brought a token along: must stay 0."""
        self.closing = asyncio.Event()
        self.changed = asyncio.Condition()
        self.busy: Counter[str] = Counter()
        """Requests in hand, by token."""

    def app(self) -> Starlette:
        """The routes; a server's own under `/wv{server}`."""
        controls = Controls(self)
        routes = [
            Route("/api/v2/{page}.php", _Call(self), methods=["GET"]),
            *controls.routes(),
        ]
        prefixed = [
            Route("/wv{server}" + route.path, route.endpoint, methods=sorted(route.methods or ())) for route in routes
        ]
        return Starlette(routes=[*routes, *prefixed, Route(ELSEWHERE, controls.elsewhere)])

    def now(self) -> float:
        """The present moment in seconds since 1970."""
        return self.clock.now().wall

    def warm_up(self) -> None:
        """Make the rows that the first requests would have to wait for."""
        for source in self.sources.values():
            source.rows(self.now())

    def stop_calls(self) -> None:
        """No hit occurs from now on, at any server; what occurred is still shown for its window."""
        for source in self.sources.values():
            source.stop_calls(self.now())

    def typify_late(self, share: float) -> None:
        """Of the calls from now on, at every server, such a share is typified late. Raises ValueError."""
        for source in self.sources.values():
            source.typify_late(share, self.now())

    async def answer(self, source: SimulatedSource, request: Request, *, token: str) -> Answer:
        """What this call deserves, or what the fault of the moment makes of it."""
        now = self.now()
        call, active = _call(request), source.faults.at(now) or self.faults.at(now)
        source.hold(now if active is not None and active.fault.still else None)
        if active is None or not active.fault.plays_with(hits=call == HITS) or MOVED in request.query_params:
            if call in HISTORY:
                asked = Asked(call, request.query_params, now, *_flaw(active))
                return await asyncio.to_thread(historical, source.centre, asked)
            return Report(now, source.rows(now)).answer() if call == HITS else source.token_info(token, now)
        rows = source.rows(now) if call == HITS else []
        elsewhere = f"http://localhost:{self.port}{ELSEWHERE}"
        # Some faults make or pack megabytes; a thread keeps the loop free for the other servers.
        return await asyncio.to_thread(active.answer, Report(now, rows, elsewhere))

    async def serve_call(self, source: SimulatedSource, request: Request, wire: Wire) -> None:
        """One call from its token to its last byte, and then into the audit."""
        token = request.headers.get(TOKEN_HEADER, "")
        source.requests += 1
        await self._tell()
        now = self.now()
        answer = source.refusal(token, _call(request), now)
        if answer is None and self.busy[token] >= SIMULTANEOUS_LIMIT:
            answer = SIMULTANEOUS
        self.busy[token] += 1
        try:
            answer = answer or await self.answer(source, request, token=token)
            answer = await _packed(answer, request)
            whole = await wire.deliver(answer, _headers(answer, now))
        finally:
            self.busy[token] -= 1
        if whole and answer.status == 200 and _call(request) == HITS:
            source.polls += 1
            source.audit.record(answer, now)
        await self._tell()

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    def source(self, scope: Scope) -> SimulatedSource | None:
        """The server that the path names, the first if it names none, None if there is no such server."""
        server = scope["path_params"].get("server")
        return self.first if server is None else self.sources.get(server)


class _Call:
    """An ASGI endpoint, because a Response object could neither wait, drip nor cut."""

    def __init__(self, api: SimulatedApi) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        source = self._api.source(scope)
        if source is None:
            await Response(status_code=404)(scope, receive, send)
            return
        await self._api.serve_call(source, Request(scope), Wire(scope, receive, send, closing=self._api.closing))


def _call(request: Request) -> tuple[str, str]:
    return request.path_params["page"], request.query_params.get("api", "")


def _flaw(active: ActiveFault | None) -> tuple[Flaw | None, float]:
    if active is None or not active.fault.only_history:
        return None, 0.0
    return Flaw(active.fault.name), active.seconds


async def _packed(answer: Answer, request: Request) -> Answer:
    wanted = "gzip" in request.headers.get("accept-encoding", "")
    if not wanted or answer.encoding is not None or answer.status != 200:
        return answer
    if len(answer.body) < _WORTH_A_THREAD:
        return answer.packed()
    return await asyncio.to_thread(answer.packed)


def _headers(answer: Answer, now: float) -> list[tuple[bytes, bytes]]:
    headers = {
        "content-type": answer.media_type,
        "content-length": str(len(answer.body)),
        "date": formatdate(now, usegmt=True),
        **dict(answer.headers),
    }
    if answer.encoding is not None:
        headers["content-encoding"] = answer.encoding
    return [(name.encode("ascii"), text.encode("latin-1")) for name, text in headers.items()]
