"""The documents' pictures, as these tests see them: `make pictures` writes them anew."""

from __future__ import annotations

import os
import re
import struct
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from rich.terminal_theme import MONOKAI

from producer.demo.show.command import _demo
from producer.demo.show.narrator import View
from producer.demo.show.screen import Screen, picture
from producer.model import Gap, GapKind
from producer.observe.status import ServiceStatus, SourceState
from tests.integration.chromium import Tab, executable, open_tab
from tests.integration.test_demo import QUICK
from tests.integration.test_status_page import shown
from tests.meta.papers import PAPERS, ROOT
from tests.unit.observe.statuses import NOW, healthy, source

PICTURES = ROOT / "docs" / "pictures"
WRITTEN = os.environ.get("PICTURES")
"""Where to put them; nowhere when this is only a test."""
WIDTH, ROWS = 100, 12

in_chromium = pytest.mark.skipif(executable() is None, reason="no Chromium here: apt-get install chromium")


@in_chromium
async def test_the_status_page_with_a_gap_a_change_and_a_source_in_trouble(tmp_path: Path) -> None:
    async with shown(mixed(), tmp_path) as page:
        await page.open(width=1180, height=760)
        assert await page.servers() == ["0044", "0042", "0043"]
        assert await page.tab.texts("#sources .chip") == ["■ bad token", "● ok", "● ok"]
        assert "14" in await page.tab.texts("#sources .number")
        assert len(await page.tab.texts("#gaps li")) == 1
        await taken(page.tab, "status-page.png", tmp_path)


@in_chromium
@pytest.mark.kafka
async def test_the_demo_on_a_terminal(kafka: str, tmp_path: Path) -> None:
    console = Console(record=True, file=StringIO(), width=WIDTH, height=50, force_terminal=True, highlight=False)
    audit = await _demo(QUICK, StillScreen(console))
    assert audit.holds
    html = tmp_path / "demo.html"
    html.write_text(console.export_html(theme=MONOKAI, code_format=PAGE))
    async with open_tab(tmp_path / "profile") as tab:
        await tab.look(width=860, height=600)
        await tab.call("Page.navigate", url=html.as_uri())
        await tab.until("document.querySelector('pre')?.innerText.includes('Audit: ')")
        told = await tab.text("pre")
        assert "kill -9 of the service" in told
        assert re.search(r"duplicates 0, missing 0", " ".join(told.split()))
        await tab.look(width=860, height=int(await tab.run("document.documentElement.scrollHeight")))
        await taken(tab, "demo.png", tmp_path)


@pytest.mark.parametrize("name", ["status-page.png", "demo.png"])
def test_a_document_shows_it(name: str) -> None:
    content = (PICTURES / name).read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    assert width > 800
    assert height > 500
    assert len(content) < 300_000, "too heavy for a document"
    assert [one.name for one in PAPERS if f"pictures/{name})" in one.text]


class StillScreen(Screen):
    """The demo's screen on paper: what lives below the story is drawn once, as it was last."""

    _last: View | None = None

    def show(self, view: View) -> None:
        self._last = view

    def close(self) -> None:
        super().close()
        if self._last is not None:
            self._console.print(picture(self._last, rows=ROWS, width=WIDTH - 1))
            self._last = None


PAGE = """<!DOCTYPE html><meta charset="utf-8"><style>
{stylesheet}
html {{ background: {background}; color: {foreground}; }}
body {{ margin: 16px 20px; }}
pre {{ margin: 0; font: 13px/1.4 "DejaVu Sans Mono", monospace; }}
</style><pre>{code}</pre>"""


def mixed() -> ServiceStatus:
    """Two sources that are well, one of them after an outage and with corrections, and one whose token is refused."""
    gap = Gap("0042", NOW - 1900, NOW - 1310, GapKind.UNPOLLED, certain=False)
    reports = (
        source("0042", changed=14, gaps=(gap,)),
        source("0043"),
        source("0044", state=SourceState.BAD_TOKEN, seconds_until_data_loss=214.0, error="the API refuses the token"),
    )
    return replace(healthy(), sources=reports, unready=("Source 0044: the API refuses the token.",))


async def taken(tab: Tab, name: str, tmp_path: Path) -> None:
    """A picture, for the documents if that is wanted, else for whoever looks into the test's folder."""
    await tab.screenshot(Path(WRITTEN or tmp_path) / name)
