"""`wolkvox-hits try`: hits on a topic of one's own, over ends of every kind, and not a process left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import orjson
import psutil
import pytest

from producer.demo.broker import KeptKafka
from tests.integration.service.instance import PATIENCE, Instance
from tests.integration.service.stage import CANARY, Stage
from tests.meta.papers import paper

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

TAIL = r"KAFKA_BOOTSTRAP_SERVERS=(127\.0\.0\.1:\d+) "
IN_FOLDER = "import os, shlex, sys; os.chdir(sys.argv[1]); os.execvp('env', ['env', *shlex.split(sys.argv[2])])"
"""A command with its settings, as a shell would start it."""
SOME = r"\[events [1-9]\d*, duplicates 0, "


@pytest.fixture
async def stage(kafka: str, topic: str) -> AsyncIterator[Stage]:
    """A simulated call centre in the place of somebody's own; the session's broker only proves that Kafka runs here."""
    one = Stage(bootstrap=kafka, topic=topic)
    await one.simulator.open()
    yield one
    await one.close()
    one.assert_discreet()


async def test_it_goes_on_exactly_once_after_ctrl_c_and_after_kill_9(stage: Stage, tmp_path: Path) -> None:
    first = await tried(stage, tmp_path)
    line = await first.until_says(TAIL)
    await first.until_says(SOME)
    left = offspring(first)
    await first.stop(signal.SIGINT)
    gone(left)

    second = await tried(stage, tmp_path)
    assert (await second.until_says(TAIL)).string == line.string, "the line no longer holds"
    await second.until_says(SOME)
    left = offspring(second)
    await second.kill()
    gone(left)

    third = await tried(stage, tmp_path)
    await third.until_says(SOME)
    stage.clock.stop()
    polls = stage.simulator.polls
    await stage.simulator.until(lambda: stage.simulator.polls >= polls + 2)
    await third.stop(signal.SIGINT)

    with KeptKafka(tmp_path / "kept") as kafka:
        assert kafka.bootstrap == line[1]
        stage.bootstrap = kafka.bootstrap
        found = await stage.assert_exactly_once()
    assert len(found.hits) > 50


async def test_the_command_of_the_readme_shows_a_line_that_reads_the_topic(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "wolkvox-token").write_text(CANARY)
    (command,) = [one for one in paper("README.md").commands if one.endswith("wolkvox-hits try")]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = {"WOLKVOX_SERVER": None, "WOLKVOX_TOKEN": None, "KAFKA_BOOTSTRAP_SERVERS": None}
    environment = stage.environment(**settings, PATH=path, XDG_DATA_HOME=str(tmp_path))
    running = Instance(name="try", environment=environment, program=["-c", IN_FOLDER, str(tmp_path), command])
    stage.instances.append(running)
    await running.start()
    await running.until_says(SOME)
    line = (await running.until_says(TAIL)).string
    whole = "\n".join(running.raw[running.raw.index(line) :][:2]) if line.endswith("\\") else line
    assert " wolkvox-hits tail" in whole
    shell = await asyncio.create_subprocess_shell(
        f"{whole.strip()} --no-follow", env={"PATH": path}, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await asyncio.wait_for(shell.communicate(), PATIENCE)
    hits = {orjson.loads(one)["value"]["conn_id"] for one in told.splitlines()}
    assert hits
    assert hits <= stage.simulator.shown
    await running.stop(signal.SIGTERM)


async def test_a_second_one_on_the_folder_is_refused_with_words(stage: Stage, tmp_path: Path) -> None:
    running = await tried(stage, tmp_path)
    await running.until_says(TAIL)
    second = await tried(stage, tmp_path)
    assert await second.ended() == 1
    assert f"{tmp_path / 'kept'} is in use by process {running.process.pid}" in "\n".join(second.raw)
    await running.stop(signal.SIGINT)


async def test_ctrl_c_ends_it_while_kafka_starts(stage: Stage, tmp_path: Path) -> None:
    starting = await tried(stage, tmp_path)
    await starting.until_says("1. A real Apache Kafka")
    await starting.stop(signal.SIGINT)
    assert "All has ended." in "\n".join(starting.raw)


async def test_a_kafka_that_ends_by_itself_ends_it_with_its_last_words(stage: Stage, tmp_path: Path) -> None:
    running = await tried(stage, tmp_path)
    await running.until_says(SOME)
    (jvm,) = [one for one in offspring(running) if "java" in one.name()]
    jvm.kill()
    assert await running.ended() == 1
    assert "Kafka ended by itself." in "\n".join(running.raw)


async def test_without_an_account_it_simulates_one(kafka: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 8080)) if free(8080) else socket.socket():
        running = instance(tmp_path, {"PATH": os.environ["PATH"], "HTTP_PROXY": "http://127.0.0.1:9"})
        await running.start()
        try:
            await running.until_says(SOME)
            page = (await running.until_says(r"Its page: (http://127\.0\.0\.1:(?!8080 )\d+) "))[1]
            async with httpx.AsyncClient(trust_env=False) as http:
                status = (await http.get(f"{page}/status.json")).json()
            assert status["sources"][0]["published"] > 100
            await running.stop(signal.SIGINT)
        finally:
            if running.alive:
                await running.kill()
    assert "WOLKVOX_SERVER is not set: a simulated call centre" in "\n".join(running.raw)


def test_a_token_without_a_server_is_a_mistake_and_not_a_wish_for_a_simulation(tmp_path: Path) -> None:
    done = typed(tmp_path, WOLKVOX_TOKEN="x")
    assert done.returncode == 2
    assert "WOLKVOX_SERVER" in done.stderr
    assert not (tmp_path / "kept").exists()


def test_without_a_network_it_says_what_is_missing(kafka: str, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    done = typed(tmp_path, WOLKVOX_HITS_CACHE=str(tmp_path / "empty"), HTTPS_PROXY=nowhere, HTTP_PROXY=nowhere)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Fetching them from Maven Central failed" in done.stderr
    assert "HTTPS_PROXY" in done.stderr


def free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def typed(tmp_path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "producer", "try", "--data", str(tmp_path / "kept")],
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def tried(stage: Stage, tmp_path: Path) -> Instance:
    """Started with the settings of the stage, but for its Kafka's address; `stage.close` ends it."""
    one = instance(tmp_path, stage.environment(KAFKA_BOOTSTRAP_SERVERS=None))
    stage.instances.append(one)
    await one.start()
    return one


def instance(tmp_path: Path, environment: dict[str, str]) -> Instance:
    program = ["-m", "producer", "try", "--data", str(tmp_path / "kept")]
    return Instance(name="try", environment=environment, program=program)


def offspring(running: Instance) -> list[psutil.Process]:
    """The guard and the broker."""
    found = psutil.Process(running.process.pid).children(recursive=True)
    assert len(found) >= 2
    return found


def gone(processes: list[psutil.Process]) -> None:
    _, left = psutil.wait_procs(processes, timeout=20)
    assert not left
