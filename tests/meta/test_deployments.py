"""The unit for systemd, its user and its folder: sound by systemd's own word, and held against the code.

What runs it elsewhere: test_kubernetes.py, test_docker.py.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from producer.settings import load, settings_table

ROOT = Path(__file__).parents[2]
SYSTEMD = ROOT / "ops" / "systemd"
UNIT = SYSTEMD / "wolkvox-hits.service"
USERS, FOLDERS = (SYSTEMD / folder / "wolkvox-hits.conf" for folder in ("sysusers.d", "tmpfiles.d"))
DEFAULTS = dict(re.findall(r"^\| ([A-Z_]+) \| `?([^`|]*?)`? \|", settings_table(), re.MULTILINE))
FOLDER = Path("/etc/wolkvox-hits")
STOPPING = 10
"""Seconds that the service may take to end."""
EXPOSURE = 1.5
"""systemd's measure of what a unit may do, from 0 to 10; the distributions' own services have 9 and more."""
as_root = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("systemd-tmpfiles") is None or shutil.which("systemd-sysusers") is None,
    reason="systemd-sysusers and systemd-tmpfiles, which give files to others, need root and systemd",
)
with_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze here: apt-get install systemd"
)


def options(name: str) -> list[str]:
    """Every value of one of the unit's options."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


@with_systemd
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    # The one thing that it can't know here is where the program will be.
    here = tmp_path / UNIT.name
    here.write_text(UNIT.read_text().replace("/opt/wolkvox-hits/bin/wolkvox-hits", sys.executable))
    assert analyze("verify", "--man=no", str(here)) == ""


@with_systemd
def test_the_unit_may_do_next_to_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    said = analyze("security", "--offline=true", "--no-pager", str(UNIT))
    (exposure,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)
    with capsys.disabled():
        print(f"\nsystemd-analyze security: exposure {exposure} of 10")  # noqa: T201 (for whoever runs it)
    assert float(exposure) <= EXPOSURE


def analyze(*arguments: str) -> str:
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_units_environment_consists_of_settings_and_the_file_is_in_the_folder() -> None:
    assert environment().keys() - {"PYTHONDONTWRITEBYTECODE"} <= DEFAULTS.keys()
    (command,) = options("ExecStart")
    assert Path(command.split()[-1]).parent == FOLDER


def test_whichever_sources_the_file_has_the_unit_runs_them(tmp_path: Path) -> None:
    file = tmp_path / "wolkvox-hits.toml"
    one = "server = '{}'\ntoken = 'x'\n".format
    for text, servers in (
        (f"[wolkvox]\n{one('0042')}", ["0042"]),
        (f"[[source]]\n{one('0042')}[[source]]\n{one('0043')}", ["0042", "0043"]),
    ):
        file.write_text(text)
        assert [source.server for source in load(config=file, environ=environment()).sources] == servers


def environment() -> dict[str, str]:
    """What the unit sets."""
    return dict(word.split("=", 1) for line in options("Environment") for word in line.split())


def test_the_unit_leaves_the_service_time_to_end_and_does_not_repeat_a_mistake() -> None:
    assert int(options("TimeoutStopSec")[0]) > STOPPING
    assert options("RestartPreventExitStatus") == ["2"]
    assert options("Restart") == ["always"]


@as_root
def test_only_root_and_the_units_user_read_what_is_put_into_the_folder(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    systemd("systemd-sysusers", f"--root={tmp_path}", str(USERS))
    (made,) = (tmp_path / "etc" / "passwd").read_text().splitlines()
    user, _, uid, gid, _, home, shell = made.split(":")
    assert [user, user] == [*options("User"), *options("Group")]
    assert (home, shell) == ("/", "/usr/sbin/nologin")
    assert int(uid) < 1000, "a user of the system's"

    here = tmp_path / FOLDER.relative_to("/")
    make = ("systemd-tmpfiles", f"--root={tmp_path}", "--create", str(FOLDERS))
    systemd(*make)
    assert modes(here) == {".": ("750", 0, int(gid))}
    (here / "wolkvox-token").write_text("x")
    (here / "wolkvox-token").chmod(0o600)
    (here / "certificates").mkdir()
    systemd(*make)
    assert modes(here) == {
        ".": ("750", 0, int(gid)),
        "certificates": ("750", 0, int(gid)),
        "wolkvox-token": ("640", 0, int(gid)),
    }


def systemd(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def modes(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Mode, user and group of a folder and of what is in it."""
    found = {str(path.relative_to(folder)): path.stat() for path in (folder, *folder.iterdir())}
    return {name: (f"{one.st_mode & 0o777:o}", one.st_uid, one.st_gid) for name, one in found.items()}
