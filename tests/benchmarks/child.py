"""Processes of the product as an operator starts them: the simulated API, and what the service's environment is."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

REPOSITORY = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def simulator(*options: str, servers: int = 1) -> AsyncIterator[Path]:
    """The simulated API in a process of its own; a settings file that points to it, for so many servers."""
    command = ["-m", "producer", "simulate", "--port", "0", "--token", "any", "--servers", str(servers), *options]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=PIPE, cwd=REPOSITORY)
    assert process.stdout is not None
    with TemporaryDirectory() as folder:
        try:
            file = Path(folder) / "sources.toml"
            file.write_text(await _sources(process.stdout, servers))
            yield file
        finally:
            process.terminate()
            await process.wait()


def environment(bootstrap: str, topic: str, settings: Path, **more: str) -> dict[str, str]:
    """What reaches the service, and nothing else."""
    return {
        "PATH": os.environ["PATH"],
        "WOLKVOX_HITS_CONFIG": str(settings),
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "KAFKA_TOPIC": topic,
        "KAFKA_GROUP_ID": topic,
        "STATUS_PORT": "0",
        **more,
    }


async def _sources(output: asyncio.StreamReader, servers: int) -> str:
    """The tables of a settings file, as the simulator tells them; for one server it tells a line of environment."""
    if servers == 1:
        told = dict(word.split("=", 1) for word in (await _line(output)).split())
        return "[[source]]\n" + "".join(
            f'{name} = "{told[f"WOLKVOX_{name.upper()}"]}"\n' for name in ("server", "url", "token")
        )
    lines: list[str] = []
    while sum(line.startswith("token") for line in lines) < servers:
        lines.append(await _line(output))
    return "".join(lines)


async def _line(output: asyncio.StreamReader) -> str:
    if line := await output.readline():
        return line.decode()
    raise RuntimeError("the simulator ended before it had told its settings")
