"""Calls to make, and the canaries that must not come out of them."""

from __future__ import annotations

import json
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from producer.clock import Moment
from producer.errors import PollFailed
from producer.model import Snapshot
from producer.wolkvox.client import BODY_LIMIT, WolkvoxApi
from producer.wolkvox.envelope import Answer

TOKEN = "canary-7b746f6b656e7d"
TELEPHONE = "573001234567"

ROW = {
    "conn_id": "6736.4628.1040.1768782812.1814",
    "type_interaction": "outbound_ma",
    "date": "20260118201332",
    "telephone": TELEPHONE,
    "customer_id": "1020304050",
    "hit": "VENTA EFECTIVA",
}


class HandClock:
    """A clock that the test moves; each reading moves it by a second, so that an order can be seen."""

    def __init__(self) -> None:
        self.wall = 1_768_785_212.0

    def now(self) -> Moment:
        self.wall += 1
        return Moment(self.wall, self.wall - 1_000_000)


def envelope(**fields: Any) -> bytes:
    """The API's own envelope, a snapshot with one row unless told otherwise."""
    whole = {"code": "200", "error": None, "msg": "1 records were found", "data": [ROW]} | fields
    return json.dumps(whole).encode()


def answer(body: bytes, *, status: int = 200, **headers: str) -> Answer:
    """An answer that was received at 2026-01-18 (a Sunday) 20:13:32 in Bogota."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, body, Moment(1_768_785_211.0, 1.0), Moment(1_768_785_212.0, 2.0))


@asynccontextmanager
async def calling(
    url: str,
    *,
    timeout: float = 10,  # noqa: ASYNC109  (what is under test)
    limit: int = BODY_LIMIT,
    token: Callable[[], str] = lambda: TOKEN,
    transport: httpx.AsyncBaseTransport | None = None,
    cafile: Path | None = None,
) -> AsyncIterator[WolkvoxApi]:
    """The API at `url`, as server 0042."""
    api = WolkvoxApi(
        server="0042",
        url=url,
        token=token,
        timeout=timeout,
        clock=HandClock(),
        transport=transport,
        limit=limit,
        cafile=cafile,
    )
    try:
        yield api
    finally:
        await api.aclose()


async def failing(url: str, **options: Any) -> PollFailed:
    """The error of a fetch that must fail, after a look that it tells no secret."""
    async with calling(url, **options) as api:
        with pytest.raises(PollFailed) as caught:
            await api.fetch()
    check_tells_nothing(caught.value)
    return caught.value


async def fetched(url: str, **options: Any) -> Snapshot:
    """The snapshot of a fetch that must succeed."""
    async with calling(url, **options) as api:
        return await api.fetch()


def check_tells_nothing(error: BaseException) -> None:
    """No canary in the error's text, arguments or traceback, nor in anything that is chained to it."""
    told = "".join(traceback.format_exception(error))
    link: BaseException | None = error
    while link is not None:
        told += f"{link} {link!r} {link.args!r} {vars(link)!r}"
        assert isinstance(link, PollFailed), f"{type(link)} is chained, and may carry the request"
        link = link.__cause__ or link.__context__
    for canary in (TOKEN, TELEPHONE, "1020304050"):
        assert canary not in told
