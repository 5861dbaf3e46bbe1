"""One call and its answer, with a server beside the API and Kafka: one that gives tokens, a schema registry."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import orjson

from producer import __version__
from producer.errors import AccessDenied, KafkaFailed, SettingsError, Unavailable
from producer.net.proxies import proxy_for
from producer.net.reasons import chain, why
from producer.net.trust import lenient, said, version_of

Transport = httpx.AsyncBaseTransport
"""What a test may put in the network's place."""

TIMEOUT = 10.0
"""Seconds for one exchange."""
_LIMIT = 64 * 1024
"""Bytes of an answer; a token or a schema has a few thousand."""


Login = Callable[[], tuple[str, str]]
"""User and password, read at each use; it may raise SettingsError."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; a body over the limit is cut."""

    status: int
    body: bytes = field(repr=False)

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON object that it is, empty for anything else."""
        try:
            answer = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return answer if isinstance(answer, dict) else {}


class Exchange:
    """Calls to what is below `url`, the value of the setting `setting`.

    `cafile`, the value of `cafile_setting`, is believed beside the system's authorities.
    """

    def __init__(
        self,
        url: str,
        *,
        setting: str,
        cafile: Path | None,
        cafile_setting: str,
        transport: Transport | None = None,
    ) -> None:
        self._url = url
        self._setting = setting
        self._cafile = cafile
        self._cafile_setting = cafile_setting
        self._transport = transport

    async def post(self, path: str = "", *, login: Login | None, **content: Any) -> Answer:
        """The answer to what httpx would post; raises AccessDenied for what only a person can mend, or Unavailable."""
        try:
            async with asyncio.timeout(TIMEOUT):
                return await self._post(self._url + path, login, content)
        except SettingsError as error:
            raise AccessDenied(str(error)) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:  # TimeoutError is an OSError
            raise self._no_answer(error) from None

    async def _post(self, url: str, login: Login | None, content: dict[str, Any]) -> Answer:
        # A redirect is not followed: it would carry the secret to wherever it says.
        client = httpx.AsyncClient(
            verify=self._believed(),
            trust_env=False,  # `proxy_for` reads it
            proxy=proxy_for(url) if self._transport is None else None,
            timeout=TIMEOUT,
            transport=self._transport,
            auth=login() if login is not None else None,
            headers={"accept": "application/json", "user-agent": f"wolkvox-hits/{__version__}"},
        )
        async with client, client.stream("POST", url, **content) as response:
            return Answer(response.status_code, await _body(response))

    def _believed(self) -> ssl.SSLContext:
        try:
            return _authorities(self._cafile, version_of(self._cafile))
        except OSError as error:
            raise SettingsError([f"{self._cafile_setting}: {self._cafile}: {said(error)}"]) from None

    def _no_answer(self, error: Exception) -> KafkaFailed:
        if any(isinstance(link, TimeoutError | httpx.TimeoutException) for link in chain(error)):
            return Unavailable(f"{self._setting}: no answer within {TIMEOUT:g} s")
        reason = why(error, cafile=self._cafile_setting)
        if any(isinstance(link, ssl.SSLCertVerificationError) for link in chain(error)):
            return AccessDenied(f"{self._setting}: {reason}")
        return Unavailable(f"{self._setting}: no answer: {reason}")


@lru_cache(maxsize=4)
def _authorities(cafile: Path | None, _version: Hashable) -> ssl.SSLContext:
    """Kept: to read the system's list takes longer than most exchanges."""
    context = lenient(ssl.create_default_context())
    if cafile is not None:
        context.load_verify_locations(cafile)
    return context


async def _body(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _LIMIT:
            break
    return body
