"""The page for people, in a real Chromium: what it shows, that it follows, and that nobody's page disturbs the loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from producer.observe.metrics import Metrics
from producer.observe.server import StatusServer
from producer.observe.status import ServiceStatus, SourceState
from tests.integration.chromium import Tab, executable, open_tab
from tests.unit.observe.statuses import crowd, elsewhere, healthy, outage, source, standby

in_chromium = pytest.mark.skipif(executable() is None, reason="no Chromium here: apt-get install chromium")

# The contrast of each text that shows with what is behind it; WCAG AA asks for 4.5.
PALE = """
(() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = numbers(colour).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if ((numbers(colour)[3] ?? 1) === 1) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const pale = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!own || !node.checkVisibility()) continue;
    const [one, other] = [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) pale.push(`${node.innerText}: ${ratio.toFixed(2)}`);
  }
  return pale;
})()
"""


class Shown:
    """A status server whose status the test changes, and a tab that looks at it."""

    def __init__(self, status: ServiceStatus, tab: Tab, tmp_path: Path) -> None:
        self.status = status
        self.tab = tab
        self.pictures = tmp_path
        self.server = StatusServer(host="127.0.0.1", port=0, status=lambda: self.status, metrics=Metrics(), tick=0.05)
        self.url = ""

    async def open(self, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Go there as a screen of that size."""
        await self.tab.look(width=width, height=height, dark=dark)
        await self.tab.call("Page.navigate", url=self.url)
        await self.tab.until("document.querySelector('#sources')?.children.length")

    async def servers(self) -> list[str]:
        """The servers that show, in their order."""
        return await self.tab.texts("#sources th")


@asynccontextmanager
async def shown(status: ServiceStatus, tmp_path: Path) -> AsyncIterator[Shown]:
    """The page of that status; at the end it has complained of nothing and asked no other host."""
    async with open_tab(tmp_path / "profile") as tab:
        one = Shown(status, tab, tmp_path)
        one.url = await one.server.start() + "/"
        try:
            yield one
        finally:
            await one.server.stop()
        assert tab.complaints == []
        assert [url for url in tab.requested if not url.startswith((one.url, "data:"))] == []


@in_chromium
async def test_a_healthy_service_is_seen_to_be_well(tmp_path: Path) -> None:
    async with shown(healthy(), tmp_path) as page:
        await page.open()
        assert await page.tab.text("#verdict") == "● All is well with 3 sources"
        assert await page.servers() == ["0001", "0002", "0003"]
        assert "hits-7d9f-1" in await page.tab.text("#facts")
        assert "0\u201311 (12)" in await page.tab.text("#facts")
        assert await page.tab.texts("#sources .chip") == ["● ok"] * 3
        assert await page.tab.text("#gaps") == "None since this process began."
        drawn = await page.tab.run("[...document.querySelectorAll('.plot path')].map(path => path.getAttribute('d'))")
        assert len(drawn) == 4
        assert all(drawn)


@in_chromium
async def test_a_source_shows_its_numbers_and_the_hour_their_sum(tmp_path: Path) -> None:
    one = source(
        "0042", published=1234, changed=56, duplicate=5678, dead_lettered=9, pending=10, seconds_until_data_loss=500.0
    )
    status = replace(healthy(), sources=(replace(one, hits_per_minute=(0,) * 58 + (2, 3)),))
    async with shown(status, tmp_path) as page:
        await page.open()
        assert await page.tab.texts("#sources .number") == ["1,234", "56", "5,678", "9", "10", "8 min"]
        assert await page.tab.text("#hour-total") == "5 hits, at most 3 a minute"
        label = await page.tab.run("document.querySelector('#sources svg').getAttribute('aria-label')")
        assert label == "5 hits in the last hour, at most 3 a minute"


@in_chromium
async def test_of_a_source_polled_elsewhere_only_what_waits_here_is_shown(tmp_path: Path) -> None:
    sources = (replace(elsewhere("0042"), pending=10), elsewhere("0043"))
    async with shown(replace(healthy(), sources=sources), tmp_path) as page:
        await page.open()
        assert await page.tab.texts("#sources .number") == ["–", "–", "–", "–", "10", "–"] + ["–"] * 6  # noqa: RUF001


@in_chromium
async def test_an_outage_is_told_in_words_with_the_worst_first(tmp_path: Path) -> None:
    async with shown(outage(), tmp_path) as page:
        await page.open()
        assert await page.tab.text("#verdict") == "■ Not ready"
        assert await page.tab.texts("#reasons li") == list(outage().unready)
        assert await page.servers() == ["0003", "0002", "0001"]
        assert await page.tab.texts("#sources .chip") == ["■ retrying", "■ bad token", "■ waiting for kafka"]
        assert "losing for 5 min" in await page.tab.text("#sources tr")
        waiting, *gaps = await page.tab.texts("#gaps li")
        assert waiting == "0003 2 to heal · not yet: of 87 hits that the history has before it, 0 are told"
        assert [gap.split(" unpolled ")[1] for gap in gaps] == [
            "· not certain: the API may reach further back",
            "· certain",
        ]


@in_chromium
async def test_an_open_page_follows_without_a_reload(tmp_path: Path) -> None:
    async with shown(healthy(), tmp_path) as page:
        await page.open()
        page.status = outage()
        await page.tab.until("document.querySelector('#verdict').innerText.includes('Not ready')")
        page.status = standby()
        await page.tab.until("document.querySelector('#verdict').innerText.includes('Standby')")
        assert await page.tab.texts("#sources .chip") == ["○ standby"] * 3


@in_chromium
async def test_two_hundred_sources_are_found_by_trouble_by_name_and_by_hits(tmp_path: Path) -> None:
    async with shown(crowd(200), tmp_path) as page:
        await page.open()
        assert set((await page.servers())[:3]) == {"0007", "0031", "0064"}
        await page.tab.run("document.querySelector('#only').click()")
        assert set(await page.servers()) == {"0007", "0031", "0064"} | {"0099"} & set(await page.servers())
        await page.tab.run("document.querySelector('#only').click()")
        await type_into(page.tab, "#find", "input", "bad tok")
        assert await page.servers() == ["0007"]
        await type_into(page.tab, "#find", "input", "")
        await type_into(page.tab, "#order", "change", "server")
        assert await page.servers() == [f"{n:04}" for n in range(1, 201)]
        await type_into(page.tab, "#order", "change", "hits")
        hits = [int(text) for text in await page.tab.texts("#sources .hits") if text.isdigit()]
        assert hits == sorted(hits, reverse=True)
        await type_into(page.tab, "#find", "input", "nowhere")
        assert await page.tab.text("#none") == "No source matches."


async def type_into(tab: Tab, field: str, event: str, value: str) -> None:
    """What a person would enter."""
    await tab.run(
        f"(() => {{ const field = document.querySelector('{field}'); field.value = '{value}';"
        f" field.dispatchEvent(new Event('{event}', {{ bubbles: true }})); }})()"
    )


@in_chromium
async def test_a_name_or_an_error_is_never_markup(tmp_path: Path) -> None:
    markup = "<img src=x onerror=document.title='taken'>"
    status = replace(
        healthy(),
        instance=markup,
        unready=(markup,),
        sources=(source(markup, error=markup, state=SourceState.RETRYING),),
    )
    async with shown(status, tmp_path) as page:
        await page.open()
        assert await page.servers() == [markup]
        assert await page.tab.text("#reasons") == markup
        assert await page.tab.run("document.images.length") == 0


@in_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("status", [healthy, outage, standby], ids=lambda status: status.__name__)
async def test_every_text_stands_out_from_its_ground(tmp_path: Path, scheme: str, status: object) -> None:
    assert callable(status)
    async with shown(status(), tmp_path) as page:
        await page.open(dark=scheme == "dark")
        assert await page.tab.run(f"matchMedia('(prefers-color-scheme: {scheme})').matches")
        assert await page.tab.run(PALE) == []


@in_chromium
@pytest.mark.parametrize("width", [320, 390, 800, 1100, 1200, 1280])
async def test_no_screen_needs_to_scroll_sideways(tmp_path: Path, width: int) -> None:
    troubled = replace(outage(), instance="a-very-long-instance-name-" * 4, unready=("x" * 200,))
    async with shown(troubled, tmp_path) as page:
        await page.open(width=width)
        await page.tab.screenshot(tmp_path / f"{width}.png", whole=True)
        assert await page.tab.run("document.documentElement.scrollWidth") <= width


@in_chromium
@pytest.mark.parametrize("width", [390, 1280])
async def test_a_screen_reader_meets_a_table_with_named_rows(tmp_path: Path, width: int) -> None:
    async with shown(crowd(8), tmp_path) as page:
        await page.open(width=width)
        tree = (await page.tab.call("Accessibility.getFullAXTree"))["nodes"]
        named = [(node["role"]["value"], node.get("name", {}).get("value")) for node in tree if not node["ignored"]]
        assert ("rowheader", "0007") in named
        assert {"table", "row", "cell"} <= {role for role, _ in named}
        controls = [name for role, name in named if role in ("searchbox", "combobox", "checkbox")]
        assert len(controls) == 3
        assert all(controls)


@in_chromium
async def test_a_page_whose_service_is_gone_says_so(tmp_path: Path) -> None:
    async with shown(healthy(), tmp_path) as page:
        await page.tab.call(
            "Page.addScriptToEvaluateOnNewDocument",
            source="const now = performance.now.bind(performance); performance.now = () => now() + (window.later ?? 0)",
        )
        await page.open()
        assert await page.tab.text("#link") == "live"
        await page.server.stop()
        await page.tab.run("window.later = 60000")
        await page.tab.until("document.querySelector('#link').innerText.startsWith('no answer: this is from 1 min')")
        page.tab.complaints.clear()  # the browser notes that the stream broke


@in_chromium
async def test_a_page_that_nobody_looks_at_holds_no_connection(tmp_path: Path) -> None:
    async with shown(healthy(), tmp_path) as page:
        await page.open()
        live = page.server._live
        assert live.readers == 1
        await visible(page.tab, "true")
        async with asyncio.timeout(20):
            while live.readers:  # noqa: ASYNC110 (the connection's end has no event of its own)
                await asyncio.sleep(0.01)
        await visible(page.tab, "false")
        async with asyncio.timeout(20):
            while not live.readers:  # noqa: ASYNC110 (as above)
                await asyncio.sleep(0.01)


async def visible(tab: Tab, hidden: str) -> None:
    """As if the reader went to another tab, or came back."""
    await tab.run(
        f"Object.defineProperty(document, 'hidden', {{ value: {hidden}, configurable: true }});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )


@in_chromium
async def test_where_the_stream_is_refused_the_page_asks_for_itself(tmp_path: Path) -> None:
    async with shown(healthy(), tmp_path) as page:
        page.server._live._limit = 0
        await page.open()
        assert await page.tab.text("#link") == "live"
        assert page.url + "live.json" in page.tab.requested
        page.tab.complaints.clear()  # the browser notes the 503


async def test_a_hundred_open_pages_and_twenty_stalled_ones_never_hold_up_the_loop() -> None:
    status = crowd(200)
    server = StatusServer(host="127.0.0.1", port=0, status=lambda: status, metrics=Metrics(), tick=0.2)
    url = await server.start()
    port = int(url.rpartition(":")[2])
    pages = [asyncio.create_task(read_frames(port, 10)) for _ in range(100)]
    stalled = [await ask_for_frames(port) for _ in range(20)]
    lag = asyncio.create_task(longest_block())
    frames = await asyncio.gather(*pages)
    lag.cancel()
    await server.stop()
    for _, writer in stalled:
        writer.close()
    assert min(frames) == 10
    assert await lag < 0.5


async def ask_for_frames(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that asked for the live frames."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    writer.write(b"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return reader, writer


async def read_frames(port: int, count: int) -> int:
    """As many frames as were read, `count` at most."""
    reader, writer = await ask_for_frames(port)
    for number in range(count):
        try:
            await reader.readuntil(b"\n\n\r\n")
        except asyncio.IncompleteReadError:
            return number
    writer.close()
    return count


async def longest_block() -> float:
    """How long the loop stood still at most, in seconds, until it is cancelled."""
    worst = 0.0
    try:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            worst = max(worst, time.perf_counter() - before - 0.005)
    except asyncio.CancelledError:
        return worst
