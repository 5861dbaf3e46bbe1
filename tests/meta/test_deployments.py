"""The unit for systemd and the manifests for Kubernetes: sound by systemd's own word, and held against the code."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from producer.observe.metrics import Metrics
from producer.observe.server import StatusServer
from producer.settings import settings_table
from tests.unit.observe.statuses import healthy

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "ops" / "systemd" / "wolkvox-hits.service"
MANIFESTS: list[dict[str, Any]] = list(yaml.safe_load_all((ROOT / "ops/kubernetes/wolkvox-hits.yaml").read_text()))
DEFAULTS = dict(re.findall(r"^\| ([A-Z_]+) \| `?([^`|]*?)`? \|", settings_table(), re.MULTILINE))
STOPPING = 10
"""Seconds that the service may take to end."""
EXPOSURE = 1.5
"""systemd's measure of what a unit may do, from 0 to 10; the distributions' own services have 9 and more."""
with_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze here: apt-get install systemd"
)


def manifest(kind: str) -> dict[str, Any]:
    (found,) = [one for one in MANIFESTS if one["kind"] == kind]
    return found


POD: dict[str, Any] = manifest("Deployment")["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]


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


def test_the_pods_environment_consists_of_settings_and_its_token_is_a_secret() -> None:
    given = {one["name"]: one["value"] for one in CONTAINER["env"]}
    assert given.keys() <= DEFAULTS.keys()
    assert all(isinstance(value, str) for value in given.values())
    (mount,) = CONTAINER["volumeMounts"]
    (volume,) = POD["spec"]["volumes"]
    assert mount["name"] == volume["name"]
    assert "secret" in volume
    assert given["WOLKVOX_TOKEN_FILE"] == f"{mount['mountPath']}/token"


async def test_the_probes_ask_what_is_answered_at_the_port_that_is_listened_on() -> None:
    (port,) = CONTAINER["ports"]
    assert str(port["containerPort"]) == DEFAULTS["STATUS_PORT"]
    # Without it kubelet would ask an address that nobody listens on.
    assert {"name": "STATUS_HOST", "value": "*"} in CONTAINER["env"]
    probes = [CONTAINER[kind]["httpGet"] for kind in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert {probe["port"] for probe in probes} == {port["name"]}
    server = StatusServer(host="127.0.0.1", port=0, status=healthy, metrics=Metrics())
    url = await server.start()
    try:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            assert {(await http.get(probe["path"])).status_code for probe in probes} == {200}
    finally:
        await server.stop()


def test_a_pod_may_do_nothing_but_run() -> None:
    assert CONTAINER["securityContext"]["readOnlyRootFilesystem"] is True
    assert CONTAINER["securityContext"]["allowPrivilegeEscalation"] is False
    assert CONTAINER["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    (user,) = re.findall(r"^USER (\d+):\d+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert POD["spec"]["securityContext"]["runAsUser"] == int(user)
    assert POD["spec"]["terminationGracePeriodSeconds"] > STOPPING
    # Kubernetes would otherwise set STATUS_PORT for a Service called status.
    assert POD["spec"]["enableServiceLinks"] is False


def test_every_selector_finds_the_pods() -> None:
    labels = POD["metadata"]["labels"]
    (spread,) = POD["spec"]["topologySpreadConstraints"]
    selectors = [manifest(kind)["spec"]["selector"] for kind in ("Deployment", "PodDisruptionBudget")]
    assert [one["matchLabels"] for one in [*selectors, spread["labelSelector"]]] == [labels] * 3
