"""A token for the client's own credentials: the client credentials grant of OAuth 2 (RFC 6749, section 4.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote_plus

from producer.errors import AccessDenied, KafkaFailed, Unavailable
from producer.net.exchange import Answer, Exchange, Transport

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
        transport: Transport | None = None,
    ) -> None:
        self._client_id = client_id
        self._secret = secret
        self._scope = scope
        self._exchange = Exchange(
            url,
            setting="KAFKA_SASL_OAUTH_TOKEN_URL",
            cafile=cafile,
            cafile_setting="KAFKA_SSL_CAFILE",
            transport=transport,
        )

    async def fetch(self) -> Token:
        """A new token; raises AccessDenied for a refusal, Unavailable if there is no answer to make sense of."""
        form = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        answer = await self._exchange.post(login=self._login, data=form)
        if answer.status != HTTPStatus.OK:
            raise _refusal(answer)
        return _token(answer)

    def _login(self) -> tuple[str, str]:
        # Section 2.3.1: both are form-encoded before they become user and password.
        return quote_plus(self._client_id), quote_plus(self._secret())


def _token(answer: Answer) -> Token:
    token, seconds = answer.fields.get("access_token"), answer.fields.get("expires_in", 0)
    # SASL OAUTHBEARER puts it between control characters (RFC 7628): one inside would be another message.
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Unavailable("KAFKA_SASL_OAUTH_TOKEN_URL: the answer holds no access_token")
    try:
        return Token(token, max(0.0, float(seconds)))
    except (TypeError, ValueError):
        return Token(token, 0.0)


def _refusal(answer: Answer) -> KafkaFailed:
    status, code = answer.status, answer.fields.get("error")
    if isinstance(code, str) and code in _WORDS:
        return AccessDenied(f"KAFKA_SASL_OAUTH_TOKEN_URL refuses a token: {_WORDS[code]} ({code}, status {status})")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return AccessDenied(f"KAFKA_SASL_OAUTH_TOKEN_URL refuses a token: {_WORDS['invalid_client']} (status {status})")
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT) or status >= 500:
        return Unavailable(f"KAFKA_SASL_OAUTH_TOKEN_URL: the token server has no token now (status {status})")
    return AccessDenied(f"KAFKA_SASL_OAUTH_TOKEN_URL is not the address of a token server (status {status})")
