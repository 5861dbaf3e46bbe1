"""The historical reports of a small operation, as an httpx transport: it filters by the texts of dates, as an API does.

Times are those of the operation's own clock, `2026-01-18 20:13:32`; calls are found by `date`, chats by `date_close`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from httpx import Request, Response

from producer.model import Snapshot
from producer.wolkvox.client import WolkvoxApi
from producer.wolkvox.history import WolkvoxHistory
from tests.unit.wolkvox.calls import TELEPHONE, TOKEN, HandClock, envelope

BOGOTA = ZoneInfo("America/Bogota")
CODES = [
    {"cod_act": "SALE", "description_cod_act": "VENTA EFECTIVA", "hit": "yes", "chat": "yes"},
    {"cod_act": " Promise ", "description_cod_act": "PROMESA DE PAGO", "hit": "YES"},
    {"cod_act": "BUSY", "description_cod_act": "OCUPADO", "hit": "no"},
    {"cod_act": "TIMEOUTACW", "description_cod_act": "", "hit": ""},
]
NONE_FOUND = envelope(code="404", error="NOT FOUND", msg="Validate dates entered", data=None)


def a_call(conn_id: str, date: str, code: str = "SALE", **fields: Any) -> dict[str, Any]:
    """A row of cdr_1."""
    return {
        "agent_name": "somebody",
        "date": date,
        "telephone": TELEPHONE,
        "cod_act": code,
        "description_cod_act": "VENTA EFECTIVA",
        "type_interaction": "outbound_ma",
        "customer_id": "1020304050",
        "conn_id": conn_id,
        "comment": "",
    } | fields


def a_chat(conn_id: str, opened: str, closed: str, code: str = "SALE", **fields: Any) -> dict[str, Any]:
    """A row of chat_1."""
    return {
        "conn_id": conn_id,
        "channel": "whatsapp",
        "date": opened,
        "date_close": closed,
        "customer_name": "somebody",
        "customer_phone": TELEPHONE,
        "customer_id": "1020304050",
        "cod_act": code,
        "description_cod_act": "VENTA EFECTIVA",
    } | fields


class Archive(httpx.AsyncBaseTransport):
    """Answers the three reports; `calls` are the queries in their order."""

    def __init__(self, *, calls: list[Any] = [], chats: list[Any] = [], codes: Any = CODES, cap: int = 60_000) -> None:  # noqa: B006 (never changed)
        self.rows = {"cdr_1": calls, "chat_1": chats}
        self.codes = codes
        self.cap = cap
        self.calls: list[str] = []
        self.answers: dict[str, Response] = {}
        """What is answered to a report instead, whatever is asked."""

    def asked(self, report: str) -> list[tuple[str, str]]:
        """`date_ini` and `date_end` of each call of a report."""
        queries = [httpx.QueryParams(call) for call in self.calls]
        return [(query["date_ini"], query["date_end"]) for query in queries if query["api"] == report]

    async def handle_async_request(self, request: Request) -> Response:
        query = request.url.params
        self.calls.append(str(query))
        if (answer := self.answers.get(query["api"])) is not None:
            return Response(answer.status_code, content=answer.content, headers=answer.headers)
        if query["api"] == "activity_codes":
            assert request.url.path == "/api/v2/information.php"
            return Response(200, content=envelope(data=self.codes))
        assert request.url.path == "/api/v2/reports_manager.php"
        by = "date" if query["api"] == "cdr_1" else "date_close"
        rows = [
            row
            for row in self.rows[query["api"]]
            if query["date_ini"] <= "".join(filter(str.isdigit, str(row[by]))) <= query["date_end"]
        ]
        return Response(200, content=envelope(data=rows[: self.cap])) if rows else Response(404, content=NONE_FOUND)


@asynccontextmanager
async def history_of(
    archive: Archive,
    *,
    zone: ZoneInfo = BOGOTA,
    hit: str = "description_cod_act",
    clock: HandClock | None = None,
    turn: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
) -> AsyncIterator[WolkvoxHistory]:
    """The history of server 0042 over such an archive; its clock is the one given, else at 2026-01-18 20:13 there."""
    clock = clock or HandClock()
    api = WolkvoxApi(
        server="0042", url="http://localhost", token=lambda: TOKEN, timeout=10, clock=clock, transport=archive
    )
    try:
        yield WolkvoxHistory(
            server="0042",
            api=api,
            zone=zone,
            hit=hit,
            turn=turn,
            clock=clock,
            cap=archive.cap,
        )
    finally:
        await api.aclose()


async def fetched(archive: Archive, begin: float, end: float, **options: Any) -> Snapshot:
    """The history of a stretch of time."""
    async with history_of(archive, **options) as history:
        return await history.fetch(begin, end)


def ids(snapshot: Snapshot) -> list[str]:
    """The conn_ids in it."""
    return [row["conn_id"] for row in snapshot.rows]
