"""A folder that a broker keeps: one user at a time, the same ports each time, and words for what can go wrong."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from select import select

import psutil
import pytest

from producer.demo.broker.errors import BrokerUnavailable
from producer.demo.broker.guarded import Guarded
from producer.demo.broker.kept import KeptKafka, data_folder

OWNER = """
import sys
from pathlib import Path
from producer.demo.broker.guarded import Guarded
guarded = Guarded(Path(sys.argv[1]))
print(guarded.run(["sleep", "600"]), flush=True)
sys.stdin.read()
"""


def test_a_folder_keeps_its_ports_and_its_cluster(tmp_path: Path) -> None:
    first = KeptKafka(tmp_path / "kept")
    first.close()
    told = json.loads((tmp_path / "kept" / "broker.json").read_text())
    second = KeptKafka(tmp_path / "kept")
    second.close()
    assert second.bootstrap == first.bootstrap == f"127.0.0.1:{told['ports']['PLAINTEXT']}"
    assert json.loads((tmp_path / "kept" / "broker.json").read_text()) == told


def test_a_folder_has_one_user_at_a_time(tmp_path: Path) -> None:
    first = KeptKafka(tmp_path)
    with pytest.raises(BrokerUnavailable, match=r"in use by process \d+: end that one first"):
        KeptKafka(tmp_path)
    first.close()
    KeptKafka(tmp_path).close()


def test_only_its_owner_can_look_into_a_new_folder(tmp_path: Path) -> None:
    KeptKafka(tmp_path / "a" / "kept").close()
    assert (tmp_path / "a" / "kept").stat().st_mode & 0o777 == 0o700


def test_a_port_that_somebody_else_took_is_named_with_the_file_that_says_so(tmp_path: Path) -> None:
    kafka = KeptKafka(tmp_path)
    kafka.close()
    port = int(kafka.bootstrap.rpartition(":")[2])
    named = pytest.raises(BrokerUnavailable, match=rf"(?s){port}.*in use.*broker\.json")
    with socket.create_server(("127.0.0.1", port)), named:
        KeptKafka(tmp_path)
    KeptKafka(tmp_path).close()


@pytest.mark.parametrize(
    "written", ["", "{}", '{"cluster_id": "x", "ports": {"PLAINTEXT": "many", "CONTROLLER": 1}}', "[]"]
)
def test_a_file_that_was_changed_is_told(tmp_path: Path, written: str) -> None:
    (tmp_path / "broker.json").write_text(written)
    with pytest.raises(BrokerUnavailable, match=r"broker\.json is not what it was written as"):
        KeptKafka(tmp_path)


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BrokerUnavailable, match=r"file/kept can't be used: Not a directory"):
        KeptKafka(tmp_path / "file" / "kept")


def test_a_kept_folder_stays_and_its_files_are_its_owners(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path)
    guarded.run(["sh", "-c", "echo a telephone > data"])
    assert guarded.exit_status(within=20) == 0
    guarded.close()
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody tells who waits for a lock")
def test_the_next_guard_waits_until_the_program_of_a_killed_owner_is_gone(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout
        program = psutil.Process(int(owner.stdout.readline()))
        guard = program.parent()
        assert guard
        guard.suspend()  # so that it can't be quick
        owner.kill()
    following = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with following:
        assert following.stdout
        try:
            while not (started := select([following.stdout], [], [], 0)[0]) and not waits_for_a_lock(following.pid):
                pass
            assert not started
        finally:
            guard.send_signal(signal.SIGCONT)
        assert int(following.stdout.readline())
        assert not program.is_running()
        following.communicate(timeout=20)


def waits_for_a_lock(owner: int) -> bool:
    """Whether the guard of an owner waits; the kernel lists who waits behind an arrow."""
    waiting = re.findall(r"-> FLOCK +ADVISORY +WRITE +(\d+)", Path("/proc/locks").read_text())
    return any(str(one.pid) in waiting for one in psutil.Process(owner).children())


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({"XDG_DATA_HOME": "/xdg"}, "/xdg/wolkvox-hits/try"), ({}, str(Path.home() / ".local/share/wolkvox-hits/try"))],
)
def test_what_stays_is_where_the_environment_says(environ: dict[str, str], expected: str) -> None:
    assert data_folder("try", environ) == Path(expected)
