"""The manifests for Kubernetes: valid by the API's own schemas, held against the code and against one another.

Without kubectl, which builds the overlays, only the base is looked at.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import kubernetes_validate
import pytest
import yaml

from producer.errors import SettingsError
from producer.observe.metrics import Metrics
from producer.observe.server import StatusServer
from producer.settings import Settings, load, settings_table
from tests.unit.observe.statuses import healthy

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "ops" / "kubernetes"
BASE, OPENSHIFT, SEVERAL = "", "openshift", "several-sources"
DEFAULTS = dict(re.findall(r"^\| ([A-Z_]+) \| `?([^`|]*?)`? \|", settings_table(), re.MULTILINE))
STOPPING = 10
"""Seconds that the service may take to end."""
OLDEST, NEWEST = "1.25", kubernetes_validate.latest_version()
"""Of the versions of Kubernetes whose schemas are known here."""
OPERATORS = "monitoring.coreos.com/v1"
"""Kinds that Prometheus' operator brings; the API's own schemas lack them."""

Manifest = dict[str, Any]

with_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl here, which builds the overlays")
with_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool here: apt-get install prometheus"
)


@pytest.fixture(params=[BASE, *(pytest.param(name, marks=with_kubectl) for name in (OPENSHIFT, SEVERAL))])
def overlay(request: pytest.FixtureRequest) -> str:
    """Each folder that is made to be applied."""
    return str(request.param)


@cache
def rendered(folder: str) -> list[Manifest]:
    """What is applied: kustomize's word for it, but of the plain base, which is its files."""
    return list(plain(KUBERNETES)) if folder == BASE else built(folder)


def plain(folder: Path) -> Iterator[Manifest]:
    """The files that a kustomization names, where it does no more than that."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert kustomization.keys() <= {"apiVersion", "kind", "resources"}
    for name in kustomization["resources"]:
        if (folder / name).is_dir():
            yield from plain(folder / name)
        else:
            yield from yaml.safe_load_all((folder / name).read_text())


def built(folder: str) -> list[Manifest]:
    done = subprocess.run(
        ["kubectl", "kustomize", KUBERNETES / folder], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def manifest(folder: str, kind: str) -> Manifest:
    (found,) = [one for one in rendered(folder) if one["kind"] == kind]
    return found


def pod(folder: str) -> Manifest:
    found: Manifest = manifest(folder, "Deployment")["spec"]["template"]
    return found


def container(folder: str) -> Manifest:
    (one,) = pod(folder)["spec"]["containers"]
    return dict(one)


def environment(folder: str) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container(folder)["env"]}


@with_kubectl
def test_kustomize_makes_of_the_base_what_its_files_say() -> None:
    def key(one: Manifest) -> str:
        return str(one["kind"])

    assert sorted(built(BASE), key=key) == sorted(plain(KUBERNETES), key=key)


def test_every_file_is_named_by_a_kustomization() -> None:
    named = {"kustomization.yaml"}
    for file in KUBERNETES.rglob("kustomization.yaml"):
        kustomization = yaml.safe_load(file.read_text())
        files = [
            *kustomization["resources"],
            *(g for one in kustomization.get("configMapGenerator", ()) for g in one["files"]),
        ]
        named |= {Path(name).name for name in files}
    assert {one.name for one in KUBERNETES.rglob("*.*")} == {name for name in named if "." in name}


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_own_schemas_accept_it(overlay: str, version: str) -> None:
    for one in rendered(overlay):
        if one["apiVersion"] != OPERATORS:
            kubernetes_validate.validate(one, version, strict=True)


def test_a_field_that_the_api_lacks_would_be_found() -> None:
    wrong = {**manifest(BASE, "PodDisruptionBudget"), "spec": {"maxUnavailble": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


def test_the_environment_is_accepted_as_settings_and_each_token_is_a_secret(overlay: str, tmp_path: Path) -> None:
    settings = settings_of(overlay, tmp_path)
    assert environment(overlay).keys() <= {*DEFAULTS, "WOLKVOX_HITS_CONFIG"}
    assert not settings.warnings
    assert "WOLKVOX_TOKEN" not in environment(overlay)
    (volume,) = [one for one in pod(overlay)["spec"]["volumes"] if "secret" in one]
    (mount,) = [one for one in container(overlay)["volumeMounts"] if one["name"] == volume["name"]]
    assert mount == {"name": "secrets", "mountPath": "/secrets", "readOnly": True}
    # The uid may be any, and so may be no member of a group that the platform lets read it.
    assert volume["secret"] == {"secretName": "wolkvox-hits", "defaultMode": 0o444}


def test_a_token_goes_to_no_server_that_nobody_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^WOLKVOX_SERVER: no source; set WOLKVOX_SERVER"):
        settings_of(BASE, tmp_path, server="")


def settings_of(overlay: str, secrets: Path, *, server: str = "0042") -> Settings:
    """What the service makes of it once `server` is set, with files of ours for the tokens, which stand in /secrets."""

    def here(text: str) -> str:
        for name in re.findall(r"/secrets/(\w+)", text):
            (secrets / name).write_text(f"the-token-{name}")
        return text.replace("/secrets", str(secrets))

    environ = {name: here(value) for name, value in environment(overlay).items()}
    if environ.get("WOLKVOX_SERVER") == "":
        environ["WOLKVOX_SERVER"] = server
    config = None
    for name, text in config_files(overlay).items():
        config = secrets / name
        config.write_text(here(text))
        assert environ.pop("WOLKVOX_HITS_CONFIG") == f"/config/{name}"
    return load(config=config, environ=environ)


def config_files(overlay: str) -> Mapping[str, str]:
    """What is mounted at /config."""
    (name,) = [one["name"] for one in container(overlay)["volumeMounts"] if one["mountPath"] == "/config"] or [None]
    if name is None:
        return {}
    (volume,) = [one for one in pod(overlay)["spec"]["volumes"] if one["name"] == name]
    config = manifest(overlay, "ConfigMap")
    assert volume["configMap"]["name"] == config["metadata"]["name"]
    return dict(config["data"])


@with_kubectl
def test_several_sources_come_from_one_file_with_a_token_each(tmp_path: Path) -> None:
    sources = settings_of(SEVERAL, tmp_path).sources
    assert [(one.server, one.token.read()) for one in sources] == [
        ("0042", "the-token-0042"),
        ("0043", "the-token-0043"),
    ]


async def test_the_probes_ask_what_is_answered_at_the_port_that_is_listened_on() -> None:
    (port,) = container(BASE)["ports"]
    assert str(port["containerPort"]) == DEFAULTS["STATUS_PORT"]
    # Without it kubelet would ask an address that nobody listens on.
    assert environment(BASE)["STATUS_HOST"] == "*"
    probes = [container(BASE)[kind]["httpGet"] for kind in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert {probe["port"] for probe in probes} == {port["name"]}
    paths = [probe["path"] for probe in probes] + [one["path"] for one in scraped(KUBERNETES / "monitoring")]
    server = StatusServer(host="127.0.0.1", port=0, status=healthy, metrics=Metrics())
    url = await server.start()
    try:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            assert {path: (await http.get(path)).status_code for path in paths} == dict.fromkeys(paths, 200)
    finally:
        await server.stop()


def scraped(monitoring: Path) -> list[Manifest]:
    monitor = yaml.safe_load((monitoring / "pods.yaml").read_text())
    return list(monitor["spec"]["podMetricsEndpoints"])


def test_a_pod_may_do_nothing_but_run(overlay: str) -> None:
    spec = pod(overlay)["spec"]
    assert container(overlay)["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    # No uid, so that a platform may give one; where none does, the image's is a number, which kubelet can judge.
    assert spec["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert re.search(r"^USER \d+:\d+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert spec["terminationGracePeriodSeconds"] > STOPPING
    # Kubernetes would otherwise set STATUS_PORT for a Service called status.
    assert spec["enableServiceLinks"] is False


def test_nobody_gets_a_token_of_kubernetes(overlay: str) -> None:
    account = manifest(overlay, "ServiceAccount")
    assert pod(overlay)["spec"]["serviceAccountName"] == account["metadata"]["name"]
    assert account["automountServiceAccountToken"] is pod(overlay)["spec"]["automountServiceAccountToken"] is False


def test_every_selector_finds_the_pods(overlay: str) -> None:
    labels = pod(overlay)["metadata"]["labels"]
    (spread,) = pod(overlay)["spec"]["topologySpreadConstraints"]
    selectors = [manifest(overlay, kind)["spec"]["selector"] for kind in ("Deployment", "PodDisruptionBudget")]
    policy = manifest(overlay, "NetworkPolicy")["spec"]["podSelector"]
    assert [one["matchLabels"] for one in [*selectors, spread["labelSelector"], policy]] == [labels] * 4


def test_one_of_two_stays_while_nodes_are_drained(overlay: str) -> None:
    assert manifest(overlay, "Deployment")["spec"]["replicas"] == 2
    assert manifest(overlay, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_the_network_lets_through_what_the_service_needs_and_prometheus_asks(overlay: str, tmp_path: Path) -> None:
    policy = manifest(overlay, "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    out = {(port["protocol"], port["port"]) for rule in policy["egress"] for port in rule["ports"]}
    kafka = {int(one.rpartition(":")[2]) for one in environment(overlay)["KAFKA_BOOTSTRAP_SERVERS"].split(",")}
    api = {httpx.URL(one.url).port or 443 for one in settings_of(overlay, tmp_path).sources}
    names = {53, 5353} if overlay == OPENSHIFT else {53}
    assert out == {("TCP", port) for port in kafka | api | names} | {("UDP", port) for port in names}
    (into,) = policy["ingress"]
    assert into["ports"] == [{"protocol": "TCP", "port": container(overlay)["ports"][0]["name"]}]
    assert into["from"]


@with_kubectl
def test_openshift_has_its_monitoring() -> None:
    monitor = manifest(OPENSHIFT, "PodMonitor")["spec"]
    labels = pod(OPENSHIFT)["metadata"]["labels"]
    assert monitor["selector"]["matchLabels"] == labels
    (endpoint,) = monitor["podMetricsEndpoints"]
    assert endpoint["port"] == container(OPENSHIFT)["ports"][0]["name"]
    alerts = yaml.safe_load((ROOT / "ops/prometheus/alerts.yml").read_text())
    assert manifest(OPENSHIFT, "PrometheusRule")["spec"] == alerts
    # The job that the alerts name is what jobLabel makes of the pods.
    (job,) = set(re.findall(r'job="([^"]+)"', str(alerts)))
    assert labels[monitor["jobLabel"]] == job


def test_it_is_scraped_as_often_as_the_alerts_were_made_for() -> None:
    config = yaml.safe_load((ROOT / "ops/prometheus/prometheus.yml").read_text())
    assert [one["interval"] for one in scraped(KUBERNETES / "monitoring")] == [config["global"]["scrape_interval"]]


@with_promtool
def test_prometheus_accepts_the_rules(tmp_path: Path) -> None:
    made = yaml.safe_load((KUBERNETES / "monitoring" / "rules.yaml").read_text())
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(made["spec"]))
    done = subprocess.run(
        ["promtool", "check", "rules", tmp_path / "rules.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
