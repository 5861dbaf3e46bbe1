"""The API over HTTP: one `WolkvoxApi` a source, one call at a time, each with a deadline."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import httpx

from producer.errors import BadToken, NotASnapshot, PollFailed, Retry, SettingsError
from producer.model import REPORT, Drift, Snapshot
from producer.wolkvox.address import base_url
from producer.wolkvox.envelope import Answer, read_report
from producer.wolkvox.headers import age_of
from producer.wolkvox.http_client import HttpClient
from producer.wolkvox.httpx_errors import failure
from producer.wolkvox.masking import Shown, shown
from producer.wolkvox.recall import Recall
from producer.wolkvox.redirects import next_hop
from producer.wolkvox.token_info import TokenInfo, read_token_info
from producer.wolkvox.transfer import Received, read_body

if TYPE_CHECKING:
    from producer.clock import Clock

__all__ = ["BODY_LIMIT", "TokenInfo", "WolkvoxApi"]

BODY_LIMIT = 256 * 1024 * 1024
"""Decompressed bytes in one answer at most (the vendor's page)."""

_ERROR_LIMIT = 1024 * 1024
_MAX_REDIRECTS = 3
_INLINE = 1024 * 1024
"""Up to here, reading an answer takes a few milliseconds: less than a thread's worth of trouble."""
_HITS = f"real_time.php?api={REPORT}"
_TOKEN_INFO = "information.php?api=token_info"  # noqa: S105  (the name of a report)

Read = TypeVar("Read")


class WolkvoxApi:
    """The reports of one Wolkvox server, read with one token.

    `token` is asked before each call, so that a rotated file is seen. `timeout` is in seconds and for the whole call.
    `limit` is the number of decompressed bytes that an answer may have. `cafile` holds authorities beside the system's
    and httpx's bundle; it is read again when it changes. Raises SettingsError for a proxy or a file of no use.
    """

    def __init__(
        self,
        *,
        server: str,
        url: str,
        token: Callable[[], str],
        timeout: float,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        limit: int = BODY_LIMIT,
        cafile: Path | None = None,
    ) -> None:
        self._server = server
        self._url = f"{base_url(server, url)}/api/v2/"
        self._token = token
        self._timeout = timeout
        self._clock = clock
        self._limit = limit
        self._recall = Recall()
        self._http = HttpClient(server=server, url=self._url, cafile=cafile, transport=transport)

    async def fetch(self) -> Snapshot:
        """The report "hits in the last hour" as it stands now; raises PollFailed, named by what to do."""
        answer, report = await self.call(_HITS, partial(read_report, recall=self._recall))
        age = age_of(answer.headers)
        return Snapshot(
            server=self._server,
            requested=answer.requested.earlier(age),
            received=answer.received,
            rows=report.rows,
            drift=report.drift | ({Drift.CACHED: 1} if age else {}),
            not_found=report.not_found,
            exact=report.exact,
            ids=report.ids,
            parsed=report.parsed,
            answer=self._recall.answers,
            size=len(answer.body),
            age=age,
        )

    async def token_info(self) -> TokenInfo:
        """The token's quota of today. Costs one call of it. Raises PollFailed, named by what to do."""
        _, info = await self.call(_TOKEN_INFO, read_token_info)
        return info

    async def aclose(self) -> None:
        """Lets the connections go."""
        await self._http.aclose()

    async def call(self, path: str, read: Callable[[Answer, Shown], Read]) -> tuple[Answer, Read]:
        """One call of any report, and what `read` makes of it, beside the loop if it is large; raises PollFailed."""
        token = _usable(self._token)
        client = await self._http.current()
        answer = await self._answer(client, self._url + path, token)
        showing = partial(shown, secret=token)
        if len(answer.body) <= _INLINE:
            return answer, read(answer, showing)
        return answer, await asyncio.to_thread(read, answer, showing)

    async def _answer(self, client: httpx.AsyncClient, url: str, token: str) -> Answer:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(client, url, token)
        except TimeoutError:
            failed: PollFailed = Retry(f"no whole answer within {self._timeout:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, zlib.error, OSError) as error:
            failed = failure(error)
        # Raised out here and not in the handler: the context of an exception is shown with it, and httpx's holds the
        # request with its headers.
        raise failed

    async def _exchange(self, client: httpx.AsyncClient, url: str, token: str) -> Answer:
        requested = self._clock.now()
        target, headers = httpx.URL(url), {"wolkvox-token": token}
        for _ in range(1 + _MAX_REDIRECTS):
            async with client.stream("GET", target, headers=headers) as response:
                if not response.has_redirect_location:
                    received = await self._body(response)
                    names = {name.lower(): value for name, value in response.headers.items()}
                    drift = {Drift.CONTENT_ENCODING: 1} if received.odd else {}
                    return Answer(response.status_code, names, received.body, requested, self._clock.now(), drift)
            target = next_hop(target, response.headers["location"])
        raise NotASnapshot(f"the answer is no report: more than {_MAX_REDIRECTS} redirects")

    async def _body(self, response: httpx.Response) -> Received:
        expected = response.status_code in {200, 404}
        try:
            return await read_body(response, limit=self._limit if expected else min(self._limit, _ERROR_LIMIT))
        except (NotASnapshot, zlib.error, httpx.RemoteProtocolError) as error:
            if not expected:
                return Received(b"")  # the status says enough
            cut_off = isinstance(error, httpx.RemoteProtocolError)
            if not cut_off:
                raise
        raise NotASnapshot("the answer is no report: it was cut off, or in chunks that are none")


def _usable(token: Callable[[], str]) -> str:
    try:
        text = token().strip()
    except (OSError, ValueError, SettingsError):
        problem = "it can't be read"
    else:
        if re.fullmatch(r"[!-~]+", text):
            return text
        problem = "it has characters that a header can't carry" if text else "it is empty"
    raise BadToken(f"no usable token: {problem}")
