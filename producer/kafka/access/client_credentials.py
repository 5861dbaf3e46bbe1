"""A token for the client's own credentials: the client credentials grant of OAuth 2 (RFC 6749, section 4.4)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx
import orjson

from producer import __version__
from producer.errors import AccessDenied, KafkaFailed, SettingsError, Unavailable
from producer.net.proxies import proxy_for
from producer.net.trust import lenient

TIMEOUT = 10.0
"""Seconds for the whole exchange."""
_LIMIT = 64 * 1024
"""Bytes of an answer; tokens have a few thousand at most."""
_WORDS = {
    "invalid_client": "KAFKA_SASL_OAUTH_CLIENT_ID or KAFKA_SASL_OAUTH_CLIENT_SECRET is wrong",
    "invalid_scope": "KAFKA_SASL_OAUTH_SCOPE is wrong or missing",
    "unauthorized_client": "KAFKA_SASL_OAUTH_CLIENT_ID may not use the client credentials grant",
    "unsupported_grant_type": "the server does not give tokens for client credentials",
    "invalid_request": "the server does not understand the request",
}
"""The error codes of RFC 6749, section 5.2, which alone are repeated: other words of a server may hold anything."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and the seconds it serves from its making; 0 if the server does not say."""

    token: str = field(repr=False)
    seconds: float


class ClientCredentials:
    """Asks the token server at `url`; `secret` is read at each call, so that a rotated file is seen.

    `cafile` is trusted beside the system's authorities.
    """

    def __init__(
        self,
        *,
        url: str,
        client_id: str,
        secret: Callable[[], str],
        scope: str | None,
        cafile: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = url
        self._client_id = client_id
        self._secret = secret
        self._scope = scope
        self._cafile = cafile
        self._transport = transport

    async def fetch(self) -> Token:
        """A new token; raises AccessDenied for a refusal, Unavailable if there is no answer to make sense of."""
        try:
            async with asyncio.timeout(TIMEOUT):
                status, body = await self._ask()
        except SettingsError as error:
            raise AccessDenied(str(error)) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:  # TimeoutError is an OSError
            raise _no_answer(error) from None
        if status != httpx.codes.OK:
            raise _refusal(status, body)
        return _token(body)

    async def _ask(self) -> tuple[int, bytes]:
        form = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        # Section 2.3.1: both are form-encoded before they become user and password.
        login = httpx.BasicAuth(quote_plus(self._client_id), quote_plus(self._secret()))
        async with self._client() as client, client.stream("POST", self._url, data=form, auth=login) as response:
            return response.status_code, await _body(response)

    def _client(self) -> httpx.AsyncClient:
        context = lenient(ssl.create_default_context())
        if self._cafile is not None:
            context.load_verify_locations(self._cafile)
        # A redirect is not followed: it would carry the secret to wherever it says.
        return httpx.AsyncClient(
            verify=context,
            trust_env=False,  # `proxy_for` reads it
            proxy=proxy_for(self._url) if self._transport is None else None,
            timeout=TIMEOUT,
            transport=self._transport,
            headers={"accept": "application/json", "user-agent": f"wolkvox-hits/{__version__}"},
        )


async def _body(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _LIMIT:
            break
    return body


def _token(body: bytes) -> Token:
    answer = _object(body)
    token, seconds = answer.get("access_token"), answer.get("expires_in", 0)
    # SASL OAUTHBEARER puts it between control characters (RFC 7628): one inside would be another message.
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Unavailable("KAFKA_SASL_OAUTH_TOKEN_URL: the answer holds no access_token")
    try:
        return Token(token, max(0.0, float(seconds)))
    except (TypeError, ValueError):
        return Token(token, 0.0)


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _refusal(status: int, body: bytes) -> KafkaFailed:
    code = _object(body).get("error")
    if isinstance(code, str) and code in _WORDS:
        return AccessDenied(f"KAFKA_SASL_OAUTH_TOKEN_URL refuses a token: {_WORDS[code]} ({code}, status {status})")
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return AccessDenied(f"KAFKA_SASL_OAUTH_TOKEN_URL refuses a token: {_WORDS['invalid_client']} (status {status})")
    if status in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.REQUEST_TIMEOUT) or status >= 500:
        return Unavailable(f"KAFKA_SASL_OAUTH_TOKEN_URL: the token server has no token now (status {status})")
    return AccessDenied(f"KAFKA_SASL_OAUTH_TOKEN_URL is not the address of a token server (status {status})")


def _no_answer(error: Exception) -> KafkaFailed:
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, ssl.SSLCertVerificationError):
            return AccessDenied(
                f"KAFKA_SASL_OAUTH_TOKEN_URL: its certificate is not trusted ({link.verify_message}); KAFKA_SSL_CAFILE "
                "can name its authority"
            )
        link = link.__cause__ or link.__context__
    # Not httpx's own words, which may quote the request.
    return Unavailable(f"KAFKA_SASL_OAUTH_TOKEN_URL: no answer ({type(error).__name__})")
