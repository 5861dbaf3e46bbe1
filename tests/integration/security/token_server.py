"""A token server on loopback: client credentials in, a token that an embedded broker believes out."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, unquote_plus

SECRET = "s/e=c&r:e t%"
"""With every character that the way into the header must not spoil."""


class TokenServer:
    """Gives every client with SECRET a token in its own name; `served` counts them, `lifetime` is theirs in seconds."""

    def __init__(self, *, lifetime: int = 3600) -> None:
        self.lifetime = lifetime
        self.served = 0
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where to ask."""
        assert self._server
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/token"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        form = parse_qs((await reader.readexactly(int(fields["content-length"]))).decode())
        login = next(line.split()[2] for line in head.split("\r\n") if line.lower().startswith("authorization: basic"))
        status, answer = self._answer(login, form)
        body = json.dumps(answer).encode()
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    def _answer(self, login: str, form: dict[str, list[str]]) -> tuple[str, dict[str, object]]:
        client, secret = map(unquote_plus, base64.b64decode(login).decode().split(":", 1))
        if secret != SECRET:
            return "401 Unauthorized", {"error": "invalid_client", "error_description": f"{secret} is wrong"}
        if form != {"grant_type": ["client_credentials"], "scope": ["kafka"]}:
            return "400 Bad Request", {"error": "invalid_scope"}
        self.served += 1
        return "200 OK", {"access_token": unsigned(client, self.lifetime), "expires_in": self.lifetime}


def unsigned(subject: str, lifetime: float) -> str:
    """A JSON web token without a signature, which Kafka takes where no validator is configured."""
    claims = {"sub": subject, "iat": time.time(), "exp": time.time() + lifetime}
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."
