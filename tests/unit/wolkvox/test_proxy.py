"""Proxies from the environment work, and a tunnel's proxy never sees the token."""

from __future__ import annotations

import pytest

from producer.clock import SystemClock
from producer.errors import Retry, SettingsError
from producer.wolkvox.client import WolkvoxApi
from tests.unit.wolkvox.calls import ROW, TOKEN, envelope, failing, fetched
from tests.unit.wolkvox.raw_server import answering, http

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def test_plain_http_goes_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering(http(envelope())) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert (await fetched("http://simulator:8900")).rows == [ROW]
    assert proxy.requests[0].startswith(b"GET http://simulator:8900/api/v2/real_time.php?api=hits_last_hour ")


async def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering(http(envelope())) as server, answering(http(b"", status="502 Bad")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert (await fetched(server.url)).rows == [ROW]
    assert proxy.requests == []


@pytest.mark.parametrize("no_proxy", ["localhost,[::1]", "[::1]:8090,[", "10.0.0.0/8,host:port:more"])
async def test_what_some_engines_put_into_no_proxy_is_no_trouble(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str
) -> None:
    monkeypatch.setenv("NO_PROXY", no_proxy)
    async with answering(http(envelope())) as server, answering(http(envelope(msg="by the proxy"))) as proxy:
        assert (await fetched(server.url)).rows == [ROW]
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert (await fetched(server.url)).rows == [ROW]
    assert (len(server.requests), len(proxy.requests)) == (1, 1)


async def test_https_goes_through_a_tunnel_that_hides_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering(http(b"", status="407 Proxy Authentication Required")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        error = await failing("https://wv0042.wolkvox.com")
    assert type(error) is Retry
    assert "proxy" in str(error)
    assert proxy.requests[0].startswith(b"CONNECT wv0042.wolkvox.com:443 ")
    assert TOKEN.encode() not in proxy.requests[0]


@pytest.mark.parametrize("proxy", ["ftp://user:secret@proxy", "http://[::1", "http://proxy:secret", "socks4://secret"])
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_proxy_that_is_none_is_a_settings_error(monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str) -> None:
    monkeypatch.setenv(variable, proxy)
    with pytest.raises(SettingsError, match=f"^{variable}: it is no proxy") as caught:
        WolkvoxApi(server="0042", url="", token=lambda: TOKEN, timeout=1, clock=SystemClock())
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None
