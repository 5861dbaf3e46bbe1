"""The httpx client of one source: its headers, its connections, its proxy, and whom it believes."""

from __future__ import annotations

import ssl
from collections.abc import Hashable
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

import httpx

from producer import __version__
from producer.errors import Refused, SettingsError
from producer.imports import remember_absent
from producer.net.proxies import proxy_for
from producer.net.trust import lenient, said, version_of
from producer.wolkvox.transfer import ENCODINGS

# httpcore asks for it at each of its locks, several times a call: a twelfth of what many sources take.
remember_absent("sniffio")

_KEPT_ALIVE = 60.0
"""Seconds an idle connection is used again. Firewalls forget theirs silently after some minutes, and a call into such a
hole would hang until its deadline; a new connection every five minutes costs nothing beside that."""


class HttpClient:
    """Calls to `url`, which ask nobody but the environment for a proxy; `cafile` is read again when it changes.

    Raises SettingsError for a proxy or a file of no use.
    """

    def __init__(
        self, *, server: str, url: str, cafile: Path | None, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        self._server = server
        self._url = url
        self._cafile = cafile
        self._transport = transport
        self._version = version_of(cafile)
        self._client = self._made()

    async def current(self) -> httpx.AsyncClient:
        """The client for the next call; raises Refused while the file, which was changed, is of no use."""
        old, known, version = self._client, self._version, version_of(self._cafile)
        if version == known:
            return old
        try:
            self._version = version
            self._client = self._made()
        except SettingsError as error:
            self._version, problem = known, str(error)
        else:
            await old.aclose()
            return self._client
        raise Refused(problem)

    async def aclose(self) -> None:
        """Lets the connections go."""
        await self._client.aclose()

    def _made(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            headers={
                "accept": "application/json",
                "accept-encoding": ENCODINGS,
                "cache-control": "no-cache",
                "user-agent": f"wolkvox-hits/{__version__}",
                "wolkvox_server": self._server,
            },
            # A session cookie would make a PHP server queue our calls behind each other, and a jar can grow.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            limits=httpx.Limits(max_connections=2, max_keepalive_connections=1, keepalive_expiry=_KEPT_ALIVE),
            timeout=None,  # noqa: S113  (the deadline is around the whole call: a slow drip defeats a timeout per read)
            transport=self._transport,
            trust_env=False,  # `proxy_for` reads it
            proxy=proxy_for(self._url) if self._transport is None else None,
            verify=authorities(self._cafile, self._version),
        )


@lru_cache(maxsize=2)
def authorities(cafile: Path | None, _version: Hashable) -> ssl.SSLContext:
    """The system's, those of httpx's bundle and those of the file; raises SettingsError if it is of no use.

    Shared: each would read the whole list, and 200 sources would wait for it 200 times.
    """
    context = lenient(httpx.create_ssl_context())
    context.load_default_certs()
    if cafile is not None:
        try:
            context.load_verify_locations(cafile)
        except OSError as error:
            raise SettingsError([f"WOLKVOX_SSL_CAFILE: {cafile}: {said(error)}"]) from None
    return context
