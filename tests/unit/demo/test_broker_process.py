"""The guard, the ports, the cache and the readiness question, with small programs in Kafka's place."""

from __future__ import annotations

import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from producer.demo.broker.cache import cache_folder, write_whole
from producer.demo.broker.errors import BrokerUnavailable
from producer.demo.broker.guarded import Guarded
from producer.demo.broker.ports import Ports
from producer.demo.broker.readiness import alive

OWNER = """
import sys
from producer.demo.broker.guarded import Guarded
guarded = Guarded()
print(guarded.run(["sleep", "600"]), guarded.folder, flush=True)
sys.stdin.read()
"""


def test_program_and_folder_end_with_their_owner_whatever_kills_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout
        pid, folder = owner.stdout.readline().split()
        program = psutil.Process(int(pid))
        guard = program.parent()
        assert guard
        owner.kill()
    guard.wait(timeout=20)
    assert not program.is_running()
    assert not Path(folder).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a child with its parent")
def test_the_program_does_not_outlive_its_guard() -> None:
    guarded = Guarded()
    program = psutil.Process(guarded.run(["sleep", "600"]))
    guard = program.parent()
    assert guard
    guard.kill()
    program.wait(timeout=20)
    with pytest.raises(BrokerUnavailable, match="guard"):
        guarded.exit_status()
    guarded.close()
    assert not guarded.folder.exists()


def test_a_suspended_program_is_ended_too() -> None:
    guarded = Guarded()
    program = psutil.Process(guarded.run(["sleep", "600"]))
    guarded.signal(signal.SIGSTOP)
    guarded.close()
    assert not program.is_running()


def test_exit_status_and_output_are_told() -> None:
    guarded = Guarded()
    guarded.run(["sh", "-c", "echo why >&2; exit 3"])
    assert guarded.exit_status(within=20) == 3
    assert (guarded.folder / "broker.log").read_text() == "why\n"
    guarded.close()


def test_closing_twice_is_closing_once() -> None:
    guarded = Guarded()
    guarded.close()
    guarded.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a port is free, but not held")
def test_a_held_port_is_given_to_nobody_else_yet_a_server_of_ours_may_listen_on_it() -> None:
    ports = Ports(["A", "B"])
    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind(("127.0.0.1", ports.numbers["A"]))
    assert not ports.taken()
    with socket.socket() as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Java does
        ours.bind(("127.0.0.1", ports.numbers["A"]))
        ours.listen()
        assert ports.taken()
    ports.close()


def test_a_broker_that_lists_itself_is_alive() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        answered = threading.Thread(target=_answer_metadata, args=(server, [port, 9]))
        answered.start()
        assert alive(port) == {port, 9}
        answered.join(timeout=20)


def test_nobody_there_is_nobody_alive() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert alive(port) == set()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"WOLKVOX_HITS_CACHE": "/chosen", "XDG_CACHE_HOME": "/xdg"}, "/chosen"),
        ({"XDG_CACHE_HOME": "/xdg"}, "/xdg/wolkvox-hits"),
        ({}, str(Path.home() / ".cache" / "wolkvox-hits")),
    ],
)
def test_the_cache_is_where_the_environment_says(environ: dict[str, str], expected: str) -> None:
    assert cache_folder(environ) == Path(expected)


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"before")
    write_whole(target, b"after")
    assert target.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [target]


def _answer_metadata(server: socket.socket, ports: list[int]) -> None:
    connection, _ = server.accept()
    with connection, connection.makefile("rwb") as stream:
        (length,) = struct.unpack(">i", stream.read(4))
        stream.read(length)
        hosts = [(b"127.0.0.1", b"rack"), (b"localhost", None)]
        body = struct.pack(">ii", 1, len(ports))
        for node_id, (port, (host, rack)) in enumerate(zip(ports, hosts, strict=True)):
            body += struct.pack(">ih", node_id, len(host)) + host + struct.pack(">i", port)
            body += struct.pack(">h", -1) if rack is None else struct.pack(">h", len(rack)) + rack
        stream.write(struct.pack(">i", len(body)) + body)
