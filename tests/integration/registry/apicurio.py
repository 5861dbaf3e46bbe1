"""A real schema registry on loopback: Apicurio, fetched once from Maven Central, in memory, guarded as brokers are."""

from __future__ import annotations

import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from producer.demo.broker import BrokerUnavailable, jars
from producer.demo.broker.cache import cache_folder, locked
from producer.demo.broker.guarded import Guarded
from producer.demo.broker.java import bundled_java, find_java
from producer.demo.broker.ports import Ports
from tests.integration.pinned import provided

VERSION = "3.3.3"
API = "/apis/ccompat/v7"
START_TIMEOUT = 150.0
"""Seconds; it takes five of a processor, and others may want that too."""


class Distribution(jars.Jar):
    """The whole of it, packed: one file with some hundred jars."""

    @property
    def filename(self) -> str:
        """The name that Maven gives the file."""
        return f"apicurio-registry-app-{VERSION}-all.tar.gz"


PINNED = Distribution(
    "8bc6751c76d963734224b01d5e7f84ccb3cb61c87d3bd77c36c35f10a5cbed63",
    158_577_952,
    f"io.apicurio:apicurio-registry-app:{VERSION}:all:tar.gz:",
)


@contextmanager
def apicurio() -> Iterator[str]:
    """One that runs; its address, as REGISTRY_URL wants it. Raises BrokerUnavailable where none can be had."""
    java, folder = find_java(bundled=bundled_java()), _installed()
    ports = Ports(("api", "management"))
    guarded = Guarded()
    try:
        address = f"http://127.0.0.1:{ports.numbers['api']}{API}"
        guarded.run(
            [
                java,
                # It starts once and answers little: start time and memory count.
                *("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true"),
                *_listening("http", ports.numbers["api"]),
                *_listening("management", ports.numbers["management"]),
                *("-jar", folder / "quarkus-run.jar"),
            ]
        )
        _await_ready(guarded, address)
        yield address
    finally:
        guarded.close()
        ports.close()


def _listening(server: str, port: int) -> tuple[str, str]:
    return f"-Dquarkus.{server}.host=127.0.0.1", f"-Dquarkus.{server}.port={port}"


def _await_ready(guarded: Guarded, address: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    with httpx.Client(trust_env=False, timeout=10) as client:
        while True:
            try:
                if client.get(f"{address}/subjects").status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            ended = guarded.exit_status(within=0.1) is not None
            if ended or time.monotonic() > deadline:
                log = (guarded.folder / "broker.log").read_text(errors="replace").splitlines()
                raise BrokerUnavailable("\n    ".join(["Apicurio did not start. The end of its log:", *log[-20:]]))


def _installed() -> Path:
    """The folder with the unpacked distribution, which is there as a whole or not at all."""
    folder = cache_folder() / f"apicurio-{VERSION}"
    unpacked = folder / "unpacked"
    if not unpacked.exists():
        [packed] = _fetched(folder)
        with locked(folder):
            if not unpacked.exists():
                _unpack(packed, unpacked)
            packed.unlink(missing_ok=True)
    return unpacked


def _fetched(folder: Path) -> list[Path]:
    megabytes = f"{PINNED.size / 1e6:.0f} MB"
    # To the terminal itself: pytest keeps what a fixture prints, and this takes a while.
    print(
        f"fetching Apicurio Registry {VERSION} from Maven Central, once: {megabytes}", file=sys.__stderr__, flush=True
    )
    return provided([PINNED], what=f"Apicurio Registry {VERSION}", folder=folder.name)


def _unpack(packed: Path, unpacked: Path) -> None:
    scratch = Path(tempfile.mkdtemp(dir=unpacked.parent, prefix=".new-"))
    try:
        with tarfile.open(packed) as archive:
            archive.extractall(scratch, filter="data")
        scratch.rename(unpacked)
    except BaseException:
        shutil.rmtree(scratch)
        raise
