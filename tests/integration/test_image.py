"""The image, made and run here without an engine: by an arbitrary user, on a tree that nobody can write."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path

import httpx
import pytest

from producer import __version__
from tests.integration.image import Image, build, refusal
from tests.integration.service.instance import Instance
from tests.integration.service.stage import Stage
from tests.integration.test_packaging import FOUND
from tests.unit.net.loopback import has_ipv6

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
(VERSION,) = set(re.findall(r"^FROM python:(3\.\d+)-", DOCKERFILE, re.MULTILINE))
PYTHON = FOUND.get(VERSION, sys.executable)
REFUSAL = refusal()
BUDGET = 70_000_000
"""Bytes that the service may add to its base image."""
EXEC = "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])"

pytestmark = [
    pytest.mark.skipif(REFUSAL is not None, reason=f"no chroot in a namespace of mounts here: {REFUSAL}"),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Image]:
    """Every stage; what pip needs to know of this machine's network is given to it as to an engine."""
    network = re.compile(r"(PIP_|SSL_|.*_proxy$)", re.IGNORECASE)
    environ = {name: value for name, value in os.environ.items() if network.match(name)}
    scratch = tmp_path_factory.mktemp("image")
    scratch.chmod(0o755)
    return build(DOCKERFILE, context=ROOT, python=prefix(), scratch=scratch, build_environ=environ)


@pytest.fixture
def image(images: list[Image]) -> Image:
    """The last stage, which is what `docker build` makes."""
    return images[-1]


@pytest.mark.kafka
@pytest.mark.parametrize("user", ["10001:10001", "1000650000:0"])
async def test_it_runs_as_any_user_on_a_tree_that_nobody_can_write(
    image: Image, user: str, kafka: str, topic: str
) -> None:
    stage = Stage(bootstrap=kafka, topic=topic)
    await stage.simulator.open()
    try:
        environ = stage.environment(STATUS_PORT=str(free_port()), PATH=None)
        running = started(image, [*image.exec_form("ENTRYPOINT"), *image.exec_form("CMD")], user, environ)
        stage.instances.append(running)
        await running.start()
        await running.until("committed")
        port = environ["STATUS_PORT"]
        async with httpx.AsyncClient(trust_env=False) as http:
            for host in ("127.0.0.1", *([] if has_ipv6() else ["[::1]"])):
                assert (await http.get(f"http://{host}:{port}/healthz")).status_code == 200
        assert await health(image, user, environ) == 0
        await running.stop(signal.Signals[image.settings["STOPSIGNAL"]])
        assert await health(image, user, environ) == 1
    finally:
        await stage.close()


async def test_nothing_in_it_can_be_written(image: Image) -> None:
    for place in ("/opt/wolkvox-hits", "/tmp", "/etc", "/usr/local/lib", "/"):
        writing = started(image, ["sh", "-c", f"touch {place}/here"], "0:0", {})
        await writing.start()
        assert await writing.ended() != 0
        assert "Read-only file system" in "\n".join(writing.raw)


def test_what_is_in_it_is_what_the_lock_names_and_the_service(image: Image) -> None:
    assert not [path for path in image.files() if path.parts[:2] != ("opt", "wolkvox-hits")]
    found = {one.metadata["Name"].lower().replace("_", "-"): one.version for one in distributions(image)}
    assert found.pop("wolkvox-hits") == __version__
    pins = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert found.items() <= pins.items()
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {re.split(r"[<>=\[]", one)[0] for one in needed} <= found.keys()


def test_nothing_of_the_demo_or_of_the_tests_is_in_it(image: Image) -> None:
    ours = {path.parts[path.parts.index("producer") + 1] for path in image.files() if "producer" in path.parts}
    assert "service" in ours
    assert not ours & {"demo", "tests"}
    assert not [
        path for path in image.files() if path.parts[-2:] == ("tests", "__init__.py") and "producer" in str(path)
    ]


async def test_what_it_lacks_is_told_in_words(image: Image) -> None:
    for command in ("demo", "simulate", "try"):
        asked = started(image, [*image.exec_form("ENTRYPOINT"), command], "1000650000:0", {})
        await asked.start()
        assert await asked.ended() == 1
        (line,) = asked.raw
        assert "only runs the service" in line


async def test_the_stage_for_compose_simulates(images: list[Image]) -> None:
    (simulator,) = [one for one in images if one.root.name == "stage-simulator"]
    words = [*simulator.exec_form("ENTRYPOINT"), "simulate", "--port", "0"]
    running = started(simulator, words, "10001:10001", {})
    await running.start()
    try:
        await running.until_says("WOLKVOX_URL=http://127.0.0.1")
        await running.stop(signal.SIGTERM)
    finally:
        if running.alive:
            await running.kill()


def test_it_stays_within_its_budget(image: Image, capsys: pytest.CaptureFixture[str]) -> None:
    sizes: dict[str, int] = {}
    for path in image.files():
        inside = path.parts[path.parts.index("site-packages") + 1] if "site-packages" in path.parts else "beside"
        size = (image.root / path).lstat().st_size
        sizes[inside] = sizes.get(inside, 0) + size
    whole = sum(sizes.values())
    largest = sorted(sizes.items(), key=lambda one: -one[1])[:8]
    with capsys.disabled():
        parts = ", ".join(f"{name} {size / 1e6:.1f}" for name, size in largest)
        print(f"\nthe image adds {whole / 1e6:.1f} MB to its base: {parts} ...")  # noqa: T201 (for whoever runs it)
    assert whole <= BUDGET


def started(image: Image, words: list[str], user: str, environ: dict[str, str]) -> Instance:
    command = image.command(words, user=user, read_only=True, environ=environ)
    return Instance(name="image", environment={"PATH": os.environ["PATH"]}, program=["-c", EXEC, *command])


async def health(image: Image, user: str, environ: dict[str, str]) -> int:
    """What the image's own health check says."""
    asked = started(image, image.exec_form("HEALTHCHECK"), user, environ)
    await asked.start()
    return await asked.ended()


def distributions(image: Image) -> Iterator[Distribution]:
    (packages,) = (image.root / "opt/wolkvox-hits/lib").glob("python3.*/site-packages")
    yield from Distribution.discover(path=[str(packages)])


def prefix() -> Path:
    """Where the Python that stands for the base image's is installed."""
    return Path(PYTHON).resolve().parents[1]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
