"""From the start of the process to the first poll's request, by how many ids the ledger holds: none to a million."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from statistics import median

import orjson

from producer.core.ledger import cursor_record, shard_of
from producer.demo.broker import EmbeddedKafka
from producer.model import Cursor, Topic
from tests.benchmarks import bare
from tests.benchmarks.child import REPOSITORY
from tests.benchmarks.ledger import ledger_of
from tests.benchmarks.measures import Figure, Report
from tests.benchmarks.stage import staged

SERVER = "0042"
COUNTS = {0: 5, 100_000: 5, 1_000_000: 3}
"""Rounds by the number of ids."""
STEPS = ("service_started", "shards_assigned", "shard_taken", "request")
"""What is told on the way: imports and settings are done, the group was joined, the ledger is read."""
WORDS = (
    "until it has started",
    "until it is in the group",
    "until its ledger is read",
    "until the first poll's request",
)
PATIENCE = 60.0


async def run(kafka: EmbeddedKafka) -> Report:
    """Each number of ids on topics of its own."""
    figures: list[Figure] = []
    for count, rounds in COUNTS.items():
        name = f"start{count}"
        async with staged(kafka.bootstrap, name) as stage:
            if count:
                await _fill(stage.bootstrap, stage.topics.name(Topic.LEDGER), stage.topics.shards, count)
        found = [await _start(kafka.bootstrap, f"bench.{name}") for _ in range(rounds + 1)][1:]
        figures += [
            Figure(f"{count:,} ids: {words}", 1e3 * median(one[step] for one in found), "ms")
            for step, words in zip(STEPS, WORDS, strict=True)
        ]
    return Report("start", "`wolkvox-hits run` as a process of its own, from its exec, by the wall", figures)


async def _fill(bootstrap: str, topic: str, shards: int, count: int) -> None:
    now = time.time()
    ledger = [*ledger_of(SERVER, count), cursor_record(SERVER, Cursor(now, now))]
    where = (topic, shard_of(SERVER, shards))
    records = [bare.Bare(where, record.key, record.value, record.headers) for record in ledger]
    async with bare.producer(bootstrap, f"{topic}-bench", max_batch_size=bare.BATCH) as sender:
        await bare.commit(sender, records)


async def _start(bootstrap: str, topic: str) -> Mapping[str, float]:
    """Seconds from exec to each step."""
    async with _api() as (port, asked):
        environ = {
            "PATH": os.environ["PATH"],
            "WOLKVOX_SERVER": SERVER,
            "WOLKVOX_TOKEN": "any",
            "WOLKVOX_URL": f"http://127.0.0.1:{port}",
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "KAFKA_TOPIC": topic,
            "KAFKA_GROUP_ID": topic,
            "STATUS_PORT": "0",
        }
        command = [sys.executable, "-m", "producer", "run"]
        began = time.perf_counter()
        service = await asyncio.create_subprocess_exec(
            *command, env=environ, cwd=REPOSITORY, stdout=DEVNULL, stderr=PIPE
        )
        assert service.stderr is not None
        told: dict[str, float] = {}
        reading = asyncio.create_task(_read(service.stderr, told))
        try:
            told["request"] = await asyncio.wait_for(asked, PATIENCE)
        finally:
            service.terminate()
            await service.wait()
            await reading
    return {step: told[step] - began for step in STEPS}


async def _read(lines: asyncio.StreamReader, told: dict[str, float]) -> None:
    async for line in lines:
        if line.startswith(b"{"):
            told.setdefault(orjson.loads(line)["event"], time.perf_counter())


@asynccontextmanager
async def _api() -> AsyncIterator[tuple[int, asyncio.Future[float]]]:
    """An API that has no hits; its port, and when it is first asked."""
    asked: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:  # the service ended first
            writer.close()
            return
        if not asked.done():
            asked.set_result(time.perf_counter())
        body = b'{"code":404,"error":null,"msg":"records not found","data":[]}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], asked
