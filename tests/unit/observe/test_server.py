from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.registry import Collector

from producer.errors import SettingsError
from producer.observe.http_connection import BoundedConnection
from producer.observe.metrics import Metrics
from producer.observe.rendering import FILES
from producer.observe.server import StatusServer
from producer.observe.status import ServiceStatus
from tests.unit.observe.statuses import crowd, healthy, outage

PATHS = (*FILES, "/healthz", "/readyz", "/metrics", "/status.json")
ONE = httpx.Limits(max_connections=1)


@asynccontextmanager
async def serving(
    status: Callable[[], ServiceStatus] = healthy, *, host: str = "127.0.0.1", tick: float = 0.01
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a status server that runs for the block."""
    server = StatusServer(host=host, port=0, status=status, metrics=Metrics(), tick=tick)
    url = await server.start()
    try:
        async with httpx.AsyncClient(base_url=url, timeout=10, trust_env=False) as client:
            yield client
    finally:
        await server.stop()


async def answer_to(client: httpx.AsyncClient, sent: bytes) -> bytes:
    """All that the server says until it ends the connection, in good order or not."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
    try:
        writer.write(sent)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_ready_and_alive_say_so() -> None:
    async with serving() as client:
        for path in ("/healthz", "/readyz"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()) == (200, {"ok": True, "reasons": []})


async def test_unready_is_503_with_its_reasons_while_alive_stays_200() -> None:
    async with serving(outage) as client:
        ready = await client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["reasons"] == list(outage().unready)
        assert (await client.get("/healthz")).status_code == 200


async def test_status_json_and_metrics_show_the_same_report() -> None:
    async with serving(outage) as client:
        body = (await client.get("/status.json")).json()
        scraped = (await client.get("/metrics")).text
        assert [source["pending"] for source in body["sources"]] == [1283, 0, 0]
        assert 'wolkvox_hits_pending_hits{server="0001"} 1283.0' in scraped


@pytest.mark.parametrize("path", [*PATHS, "/live.json", "/live"])
async def test_head_answers_as_get_without_a_body(path: str) -> None:
    async with serving() as client:
        answer = await client.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_nothing_can_be_changed_here(method: str) -> None:
    async with serving() as client:
        for path in (*PATHS, "/live"):
            assert (await client.request(method, path)).status_code == 405


async def test_every_answer_is_protected_and_uncached() -> None:
    async with serving() as client:
        for path in (*PATHS, "/nowhere", "/live.json"):
            headers = (await client.get(path)).headers
            assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"
            assert "server" not in headers


async def test_a_port_in_use_is_one_error_that_names_the_setting() -> None:
    async with serving() as client:
        busy = client.base_url.port
        assert busy
        server = StatusServer(host="127.0.0.1", port=busy, status=healthy, metrics=Metrics())
        with pytest.raises(SettingsError, match=f"^STATUS_PORT: can't listen on 127.0.0.1:{busy}"):
            await server.start()
        await server.stop()


async def test_a_host_that_is_none_of_ours_is_one_error_that_names_the_setting() -> None:
    server = StatusServer(host="nowhere.invalid", port=0, status=healthy, metrics=Metrics())
    with pytest.raises(SettingsError, match=r"^STATUS_HOST: 'nowhere\.invalid'"):
        await server.start()


class Slow(Collector):
    """A metric that takes as long to collect as the test wants."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.in_time = False

    def collect(self) -> list[Metric]:
        self.begun.set()
        self.in_time = self.may_end.wait(5)
        return []


async def test_while_many_metrics_are_written_down_others_are_answered() -> None:
    metrics, slow = Metrics(), Slow()
    server = StatusServer(host="127.0.0.1", port=0, status=healthy, metrics=metrics)
    metrics.registry.register(slow)
    url = await server.start()
    async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as client:
        scrapes = [asyncio.create_task(client.get("/metrics")) for _ in range(2)]
        assert await asyncio.to_thread(slow.begun.wait, 5)
        assert (await client.get("/healthz")).status_code == 200
        slow.may_end.set()
        assert [(await scrape).status_code for scrape in scrapes] == [200, 200]
    await server.stop()
    assert slow.in_time


async def test_the_address_can_be_called_as_it_is_told() -> None:
    async with serving(host="localhost") as client:
        assert (await client.get("/healthz")).status_code == 200


async def test_the_services_signals_stay_its_own() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with serving() as client:
        await client.get("/healthz")
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


async def test_a_report_that_fails_is_a_500_and_the_next_request_is_answered() -> None:
    reports = iter([None, healthy()])

    def status() -> ServiceStatus:
        one = next(reports)
        if one is None:
            raise ValueError("row of 573001112233")
        return one

    async with serving(status) as client:
        failed = await client.get("/status.json")
        assert (failed.status_code, "573001112233" in failed.text) == (500, False)
        assert (await client.get("/status.json")).status_code == 200


async def test_an_open_page_is_told_of_a_change() -> None:
    now = [healthy()]
    async with serving(lambda: now[0]) as client, client.stream("GET", "/live") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = (json.loads(line[5:]) async for line in stream.aiter_lines() if line.startswith("data:"))
        assert (await anext(lines))["unready"] == []
        now[0] = outage()
        async for page in lines:
            if page["unready"]:
                break


async def test_stopping_ends_open_pages_in_good_order(caplog: pytest.LogCaptureFixture) -> None:
    server = StatusServer(host="127.0.0.1", port=0, status=healthy, metrics=Metrics())
    url = await server.start()
    async with httpx.AsyncClient(trust_env=False) as client, client.stream("GET", f"{url}/live") as stream:
        lines = stream.aiter_lines()
        await anext(lines)
        await server.stop()
        assert all([not line or line.startswith("data:") async for line in lines])
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_head_of_the_live_frames_keeps_nobody_waiting() -> None:
    async with serving() as client, httpx.AsyncClient(base_url=client.base_url, limits=ONE, trust_env=False) as single:
        for _ in range(2):
            assert (await single.head("/live")).status_code == 200


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost:"])
async def test_a_connection_that_never_asks_is_dropped(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(BoundedConnection, "patience", 0.05)
    async with serving() as client:
        assert await answer_to(client, sent) == b""


async def test_an_open_page_outlives_that_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedConnection, "patience", 0.05)
    async with serving() as client, client.stream("GET", "/live") as stream:
        lines = stream.aiter_lines()
        for _ in range(40):
            await anext(lines)


@pytest.mark.parametrize("then", [b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"])
async def test_a_reader_that_stops_reading_is_dropped(monkeypatch: pytest.MonkeyPatch, then: bytes) -> None:
    """Whatever it asks meanwhile."""
    monkeypatch.setattr(BoundedConnection, "patience", 0.05)
    paused, dropped = asyncio.Event(), asyncio.Event()
    pause, lost = BoundedConnection.pause_writing, BoundedConnection.connection_lost

    def pause_writing(self: BoundedConnection) -> None:
        pause(self)
        paused.set()
        if then:
            self.data_received(then)

    def connection_lost(self: BoundedConnection, exc: Exception | None) -> None:
        lost(self, exc)
        dropped.set()

    monkeypatch.setattr(BoundedConnection, "pause_writing", pause_writing)
    monkeypatch.setattr(BoundedConnection, "connection_lost", connection_lost)
    async with serving(crowd, tick=0.001) as client:
        with closing(socket.create_connection(("127.0.0.1", client.base_url.port))) as silent:
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            silent.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await asyncio.wait_for(dropped.wait(), 30)
    assert paused.is_set()


async def test_one_connection_too_many_is_refused_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedConnection, "limit", 1)
    async with serving() as client:
        assert (await client.get("/healthz")).status_code == 200
        assert await answer_to(client, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") == b""
        assert (await client.get("/healthz")).status_code == 200


def asking(path: str, host: str | None) -> bytes:
    """A request as a client that names the server like this sends it, by HTTP/1.0 if it names none."""
    head = f"GET {path} HTTP/1.0\r\n" if host is None else f"GET {path} HTTP/1.1\r\nHost: {host}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode()


@pytest.mark.parametrize("path", [*PATHS, "/live", "/nothing"])
async def test_a_name_that_a_stranger_pointed_at_loopback_reads_nothing(path: str) -> None:
    """DNS rebinding: the browser takes the page for one of the stranger's own site."""
    async with serving() as client:
        answer = await answer_to(client, asking(path, f"evil.example:{client.base_url.port}"))
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"localhost" in answer
    assert b"0001" not in answer


@pytest.mark.parametrize(
    "host", ["127.0.0.1.evil.example", "localhost.evil.example", "evil.example:127", "[evil]", "[::1.evil]", "", "0"]
)
async def test_no_spelling_makes_a_strangers_name_ours(host: str) -> None:
    async with serving() as client:
        assert b" 403 " in (await answer_to(client, asking("/status.json", host))).partition(b"\r\n")[0]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:1", "127.9.9.9", "localhost", "LocalHost:8080", "[::1]", "[::1]:8080", None]
)
async def test_whoever_asks_loopback_by_a_name_of_its_own_is_answered(host: str | None) -> None:
    """Also through a port that was forwarded, and with HTTP/1.0, which no browser speaks."""
    async with serving() as client:
        assert b" 200 " in (await answer_to(client, asking("/healthz", host))).partition(b"\r\n")[0]


async def test_a_page_for_other_machines_is_asked_by_any_name() -> None:
    async with serving(host="0.0.0.0") as client:
        answer = await client.get("/healthz", headers={"host": "status.example.com"})
        assert answer.status_code == 200
