"""A real Chromium without a window, driven by its own DevTools protocol over a pipe: no driver, no web socket."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--lang=en-US",
    "--remote-debugging-pipe",
)
ANSWER = 30.0
_MESSAGE = 64 * 1024 * 1024  # a screenshot comes as one message


def executable() -> str | None:
    """Where a Chromium is, if there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Tab:
    """One page; `complaints` is all that its console or its security policy had to say."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.complaints: list[str] = []
        self.requested: list[str] = []
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._session: str | None = None
        self._listening = asyncio.create_task(self._listen())

    async def attach(self) -> Self:
        """Make a page and take hold of it."""
        target = await self.call("Target.createTarget", url="about:blank")
        session = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = session["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        return self

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of one command; raises RuntimeError with the browser's words."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._answers[number] = asyncio.get_running_loop().create_future()
        self._writer.write(json.dumps(message).encode() + b"\0")
        answer = await asyncio.wait_for(self._answers[number], ANSWER)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    async def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is awaited."""
        result = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    async def until(self, condition: str) -> None:
        """Wait inside the page, frame by frame, until `condition` holds; raises TimeoutError."""
        loop = f"new Promise(done => {{ const look = () => ({condition}) ? done(1) : setTimeout(look, 20); look(); }})"
        try:
            await self.run(loop)
        except TimeoutError:
            raise TimeoutError(f"never true: {condition}; the page says: {await self.text('body')}") from None

    async def text(self, selector: str) -> str:
        """What a person reads in the first element that matches."""
        return str(await self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    async def texts(self, selector: str) -> list[str]:
        """What a person reads in each element that matches."""
        found = await self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map(node => node.innerText)")
        return list(found)

    async def look(self, *, width: int, height: int, dark: bool = False) -> None:
        """Be a screen of that size, light or dark."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])

    async def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """A picture of what shows, or of the whole length of the page."""
        shot = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(shot["data"]))

    async def close(self) -> None:
        self._listening.cancel()
        await asyncio.wait({self._listening})

    async def _listen(self) -> None:
        while True:
            message = json.loads((await self._reader.readuntil(b"\0"))[:-1])
            if answer := self._answers.pop(message.get("id", 0), None):
                if not answer.done():
                    answer.set_result(message)
            elif "method" in message:
                self._note(message["method"], message["params"])

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requested.append(params["request"]["url"])
        elif method in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"):
            self.complaints.append(json.dumps(params))


@asynccontextmanager
async def open_tab(profile: Path) -> AsyncIterator[Tab]:
    """A tab in a browser of its own, whose profile is that (empty) folder; both end with the block."""
    program = executable()
    assert program is not None
    to_browser, ours_out = os.pipe()
    ours_in, from_browser = os.pipe()
    # The browser reads commands on descriptor 3 and answers on 4: a shell puts them there.
    command = f'exec 3<&{to_browser} 4>&{from_browser}; exec "$0" "$@"'
    browser = await asyncio.create_subprocess_exec(
        *("bash", "-c", command, program, f"--user-data-dir={profile}", *FLAGS, "about:blank"),
        pass_fds=(to_browser, from_browser),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(to_browser)
    os.close(from_browser)
    reader, writer = await _streams(ours_in, ours_out)
    tab = Tab(reader, writer)
    try:
        yield await tab.attach()
    finally:
        await tab.close()
        writer.close()  # the browser ends when its pipe does
        await asyncio.wait({asyncio.ensure_future(browser.wait())}, timeout=ANSWER)
        with suppress(ProcessLookupError):
            os.killpg(browser.pid, signal.SIGKILL)


async def _streams(ours_in: int, ours_out: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_MESSAGE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours_in, "rb"))
    pipe, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, os.fdopen(ours_out, "wb"))
    return reader, asyncio.StreamWriter(pipe, protocol, None, loop)
