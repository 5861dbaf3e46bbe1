"""A real Prometheus on loopback, with the rules of ops/ and a target of the test's."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import yaml

OPS = Path(__file__).parents[3] / "ops" / "prometheus"
PATIENCE = 30.0


class NotReady(Exception):
    """It listens, and still reads its own storage."""


class Prometheus:
    """Its API."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression gives now; fails if it is none."""
        answer = await self._ask("/api/v1/query", query=expression)
        assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    async def rules(self) -> list[dict[str, Any]]:
        """Every rule with its health and its state."""
        groups = (await self._ask("/api/v1/rules"))["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    async def _ask(self, path: str, **what: str) -> dict[str, Any]:
        response = await self._http.get(path, params=what)
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise NotReady
        answer: dict[str, Any] = response.json()
        return answer

    async def raised(self) -> set[str]:
        """The alerts that fire, or will if it lasts."""
        return {rule["name"] for rule in await self.rules() if rule["state"] != "inactive"}

    async def until(self, look: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
        """What `look` gives, once it is as wanted."""
        found = None
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    try:
                        if wanted(found := await look()):
                            return found
                    except (httpx.TransportError, NotReady):  # it does not listen yet
                        pass
                    await asyncio.sleep(0.1)  # nothing tells when it has scraped
        except TimeoutError:
            raise AssertionError(f"after {PATIENCE:g} s: {found}") from None


@asynccontextmanager
async def prometheus(folder: Path, *, target: str) -> AsyncIterator[Prometheus]:
    """Runs one that scrapes the URL `target` each second."""
    for name in ("alerts.yml", "sources.yml"):
        shutil.copy(OPS / name, folder)
    config = yaml.safe_load((OPS / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"][0]["static_configs"] = [{"targets": [urlsplit(target).netloc]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with (folder / "log.txt").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            *("prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"),
            *(f"--web.listen-address={address}", "--log.level=warn"),
            stdout=log,
            stderr=log,
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False, timeout=10) as http:
            yield Prometheus(http)
    finally:
        process.kill()
        await process.wait()
