"""What stands before a registry in the wild: a proxy with TLS and logins, and pages of its own when it is in the mood.

It passes each request on as it is, one a connection.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

PAGE = b"<!DOCTYPE html><html><body>Sign in to go on</body></html>"


class Gate:
    """Before the registry at `registry`; shut until it is opened.

    With `password`, only `user` may pass. `page` is a status that it answers with a page, in the registry's place.
    """

    def __init__(self, registry: str, *, tls: ssl.SSLContext | None = None, password: str | None = None) -> None:
        self._behind = urlsplit(registry)
        self._tls = tls
        self._login = password and base64.b64encode(f"user:{password}".encode()).decode()
        self._server: asyncio.Server | None = None
        self._port = 0
        self._serving: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self.page: int | None = None
        self.asked: list[str] = []
        """Method and path of each request that came, below the registry's address."""

    @property
    def url(self) -> str:
        """What to call instead of the registry, also while it is shut."""
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self._port}{self._behind.path}"

    async def open(self) -> None:
        """Let in who comes."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, ssl=self._tls)
        self._port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Refuse connections, and cut those that are there; the address stays."""
        if self._server is not None:
            self._server.close()
            for writer in self._open:
                writer.transport.abort()
            if self._serving:
                await asyncio.wait(self._serving)
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.shut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self._open.add(writer)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            body = await reader.readexactly(int(length[1]) if length else 0)
            method, path, _ = head.decode().split(maxsplit=2)
            self.asked.append(f"{method} {path.removeprefix(self._behind.path)}")
            writer.write(self._refusal(head) or await self._passed(head, body))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # one of both has gone
        finally:
            writer.close()
            self._open.discard(writer)
            self._serving.discard(task)

    def _refusal(self, head: bytes) -> bytes | None:
        if self.page is not None:
            return _answer(f"{self.page} Moody")
        if self._login and not re.search(rf"(?i:authorization: basic) {re.escape(self._login)}\r".encode(), head):
            return _answer("401 Unauthorized")
        return None

    async def _passed(self, head: bytes, body: bytes) -> bytes:
        assert self._behind.hostname
        reader, writer = await asyncio.open_connection(self._behind.hostname, self._behind.port)
        self._open.add(writer)
        try:
            writer.write(re.sub(rb"(?i)connection: [^\r]*", b"Connection: close", head) + body)
            return await reader.read()
        finally:
            writer.close()
            self._open.discard(writer)


def _answer(status: str) -> bytes:
    fields = f"Content-Type: text/html\r\nContent-Length: {len(PAGE)}\r\nConnection: close"
    return f"HTTP/1.1 {status}\r\n{fields}\r\n\r\n".encode() + PAGE
