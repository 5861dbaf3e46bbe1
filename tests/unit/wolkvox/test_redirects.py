"""The token stays with its host."""

from __future__ import annotations

import httpx
import pytest

from producer.errors import NotASnapshot
from producer.wolkvox.redirects import next_hop
from tests.unit.wolkvox.calls import ROW, TOKEN, envelope, failing, fetched
from tests.unit.wolkvox.raw_server import answering, http

HTTPS = "https://wv0042.wolkvox.com/api/v2/real_time.php?api=hits_last_hour"


@pytest.mark.parametrize(
    ("current", "location", "target"),
    [
        (HTTPS, "/other?x=1", "https://wv0042.wolkvox.com/other?x=1"),
        (HTTPS, "other.php", "https://wv0042.wolkvox.com/api/v2/other.php"),
        (HTTPS, "//WV0042.wolkvox.com/a", "https://wv0042.wolkvox.com/a"),
        (HTTPS, "https://wv0042.wolkvox.com:8443/a", "https://wv0042.wolkvox.com:8443/a"),
        ("http://localhost:8900/a", "/b", "http://localhost:8900/b"),
        ("http://localhost:8900/a", "https://localhost/b", "https://localhost/b"),
    ],
)
def test_https_on_the_same_host_is_followed(current: str, location: str, target: str) -> None:
    assert str(next_hop(httpx.URL(current), location)) == target


@pytest.mark.parametrize(
    ("current", "location"),
    [
        (HTTPS, "https://wv0043.wolkvox.com/"),
        (HTTPS, "https://wolkvox.com/"),
        (HTTPS, "https://wv0042.wolkvox.com.example/"),
        (HTTPS, "https://wv0042.wolkvox.com@example/"),
        (HTTPS, "https://user@wv0042.wolkvox.com/"),
        (HTTPS, "https://example\\@wv0042.wolkvox.com/"),
        (HTTPS, "//example/"),
        (HTTPS, "http://wv0042.wolkvox.com/"),
        (HTTPS, "ftp://wv0042.wolkvox.com/"),
        (HTTPS, "https://[::1/"),
        (HTTPS, "https://wv0042.wolkvox.com:port/"),
        (HTTPS, "javascript:alert(1)"),
        ("http://localhost:8900/a", "http://localhost:8901/b"),
        ("http://localhost:8900/a", "http://127.0.0.1:8900/b"),
    ],
)
def test_no_other_redirect_is_followed(current: str, location: str) -> None:
    with pytest.raises(NotASnapshot) as caught:
        next_hop(httpx.URL(current), location)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_leads_to_the_report(status: int) -> None:
    async with answering(http(b"moved", "Location: /there", status=f"{status} Moved"), http(envelope())) as server:
        assert (await fetched(server.url)).rows == [ROW]
    assert server.requests[1].startswith(b"GET /there HTTP/1.1\r\n")
    assert TOKEN.encode() in server.requests[1]


async def test_another_host_never_sees_the_token() -> None:
    async with answering(http(envelope())) as other:
        location = f"Location: http://localhost:{other.port}/"
        async with answering(http(b"", location, status="302 Found")) as server:
            assert type(await failing(server.url)) is NotASnapshot
    assert other.requests == []


async def test_from_https_no_plain_http_sees_the_token() -> None:
    seen: list[httpx.URL] = []

    def gateway(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        return httpx.Response(302, headers={"location": "http://wv0042.wolkvox.com/"})

    error = await failing("https://wv0042.wolkvox.com", transport=httpx.MockTransport(gateway))
    assert type(error) is NotASnapshot
    assert [url.scheme for url in seen] == ["https"]


async def test_redirects_in_a_circle_end() -> None:
    async with answering(http(b"", "Location: /again", status="302 Found")) as server:
        assert type(await failing(server.url)) is NotASnapshot
    assert len(server.requests) == 4


async def test_a_redirect_without_a_place_is_not_a_snapshot() -> None:
    async with answering(http(envelope(), status="302 Found")) as server:
        assert type(await failing(server.url)) is NotASnapshot
