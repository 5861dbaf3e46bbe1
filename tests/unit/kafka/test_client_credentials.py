from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote_plus

import httpx
import pytest

from producer.errors import AccessDenied, KafkaFailed, Unavailable
from producer.kafka.access.client_credentials import ClientCredentials
from producer.settings.secret import Secret

URL = "https://login.test/token"
SECRET = "s/e:c&r=e t%"
CANARY = "canary-5520"


def _client(
    answer: Callable[[httpx.Request], httpx.Response], *, secret: Callable[[], str] = lambda: SECRET, scope: str = "k"
) -> ClientCredentials:
    return ClientCredentials(
        url=URL, client_id="a client", secret=secret, scope=scope, transport=httpx.MockTransport(answer)
    )


async def test_id_and_secret_arrive_as_they_are_and_the_token_comes_back() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"access_token": CANARY, "expires_in": 60})

    token = await _client(answer).fetch()
    assert (token.token, token.seconds) == (CANARY, 60)
    login = base64.b64decode(asked[0].headers["authorization"].split()[1]).decode().split(":")
    assert list(map(unquote_plus, login)) == ["a client", SECRET]
    assert asked[0].content == b"grant_type=client_credentials&scope=k"


async def test_a_token_is_not_shown() -> None:
    token = await _client(lambda _: httpx.Response(200, json={"access_token": CANARY})).fetch()
    assert CANARY not in repr(token)


async def test_the_secret_is_read_again_at_each_request(tmp_path: Path) -> None:
    file, seen = tmp_path / "secret", []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(base64.b64decode(request.headers["authorization"].split()[1]).decode().split(":")[1])
        return httpx.Response(200, json={"access_token": "t"})

    client = _client(answer, secret=Secret.from_file(file, name="KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE").read)
    for content in ("first", "second"):
        file.write_text(content)
        await client.fetch()
    assert seen == ["first", "second"]


async def test_a_secret_that_cannot_be_read_is_a_refusal_that_names_its_setting(tmp_path: Path) -> None:
    secret = Secret.from_file(tmp_path / "gone", name="KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE").read
    with pytest.raises(AccessDenied, match="KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE"):
        await _client(lambda _: httpx.Response(200), secret=secret).fetch()


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, {"error": "invalid_client", "error_description": CANARY}, AccessDenied, "CLIENT_SECRET is wrong"),
        (400, {"error": "invalid_scope"}, AccessDenied, "KAFKA_SASL_OAUTH_SCOPE"),
        (403, {"error": CANARY}, AccessDenied, "status 403"),
        (404, CANARY, AccessDenied, "not the address of a token server"),
        (302, "", AccessDenied, "not the address of a token server"),
        (503, CANARY, Unavailable, "no token now"),
        (429, {}, Unavailable, "no token now"),
        (200, {"access_token": f"{CANARY}\x01auth=x"}, Unavailable, "no access_token"),
        (200, {"access_token": 7}, Unavailable, "no access_token"),
        (200, CANARY, Unavailable, "no access_token"),
        (200, [CANARY], Unavailable, "no access_token"),
    ],
)
async def test_an_answer_without_a_token_says_what_to_do_and_repeats_nothing(
    status: int, body: object, kind: type[KafkaFailed], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught:
        await _client(lambda _: httpx.Response(status, json=body)).fetch()
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("life", ["soon", None, -5, [60]])
async def test_a_life_that_makes_no_sense_is_none(life: object) -> None:
    token = await _client(lambda _: httpx.Response(200, json={"access_token": "t", "expires_in": life})).fetch()
    assert token.seconds == 0


async def test_a_redirect_is_not_followed_with_the_secret() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url == URL
        return httpx.Response(307, headers={"location": "https://elsewhere.test/"})

    with pytest.raises(AccessDenied):
        await _client(answer).fetch()


async def test_no_connection_is_to_be_waited_for_and_the_address_is_not_quoted() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"{CANARY} {request.headers}")

    with pytest.raises(Unavailable, match="no answer") as caught:
        await _client(answer).fetch()
    assert CANARY not in str(caught.value)


async def test_what_some_engines_put_into_no_proxy_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost,[::1]")
    credentials = ClientCredentials(url="http://127.0.0.1:1/token", client_id="a", secret=lambda: SECRET, scope=None)
    with pytest.raises(Unavailable, match="no answer: Connection refused"):
        await credentials.fetch()


async def test_a_proxy_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", f"ftp://{CANARY}")
    credentials = ClientCredentials(url="http://127.0.0.1:1/token", client_id="a", secret=lambda: SECRET, scope=None)
    with pytest.raises(AccessDenied, match="ALL_PROXY: it is no proxy") as caught:
        await credentials.fetch()
    assert CANARY not in str(caught.value)
