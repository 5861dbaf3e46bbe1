"""The unit for systemd: sound by systemd's own word, and held against the code. Of Kubernetes: test_kubernetes.py."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from producer.settings import settings_table

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "ops" / "systemd" / "wolkvox-hits.service"
DEFAULTS = dict(re.findall(r"^\| ([A-Z_]+) \| `?([^`|]*?)`? \|", settings_table(), re.MULTILINE))
STOPPING = 10
"""Seconds that the service may take to end."""
EXPOSURE = 1.5
"""systemd's measure of what a unit may do, from 0 to 10; the distributions' own services have 9 and more."""
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
def test_the_unit_may_do_next_to_nothing() -> None:
    said = analyze("security", "--offline=true", "--no-pager", str(UNIT))
    (exposure,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert float(exposure) <= EXPOSURE


def analyze(*arguments: str) -> str:
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_units_environment_consists_of_settings_and_its_token_is_a_credential() -> None:
    given = dict(word.split("=", 1) for line in options("Environment") for word in line.split())
    assert given.keys() - {"PYTHONDONTWRITEBYTECODE"} <= DEFAULTS.keys()
    (credential,) = options("LoadCredential")
    assert given["WOLKVOX_TOKEN_FILE"] == f"%d/{credential.split(':', maxsplit=1)[0]}"


def test_the_unit_leaves_the_service_time_to_end_and_does_not_repeat_a_mistake() -> None:
    assert int(options("TimeoutStopSec")[0]) > STOPPING
    assert options("RestartPreventExitStatus") == ["2"]
    assert options("Restart") == ["always"]
