"""The wheel and the sdist install and run in a clean environment, on the oldest and the newest Python found here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import metadata
from pathlib import Path

import pytest

from producer.demo.broker.jars import LOCK_FILE

ROOT = Path(__file__).parents[2]
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")


def interpreters() -> dict[str, str]:
    """Path by version: those on the PATH, and what pyenv keeps beside the running one."""
    found = {f"{sys.version_info.major}.{sys.version_info.minor}": sys.executable}
    siblings = Path(sys.base_prefix).parent
    for version in SUPPORTED:
        # One on the PATH may be pyenv's shim, which works only where pyenv was told so.
        beside = map(str, sorted(siblings.glob(f"{version}.*/bin/python{version}")))
        candidates = filter(None, [shutil.which(f"python{version}"), *beside])
        if path := next(filter(_works, candidates), None):
            found.setdefault(version, path)
    return found


def _works(python: str) -> bool:
    return subprocess.run([python, "-c", "import venv"], capture_output=True, check=False).returncode == 0


FOUND = interpreters()
OLDEST, NEWEST = min(FOUND, key=SUPPORTED.index), max(FOUND, key=SUPPORTED.index)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, made with the build backend of the development environment."""
    out = tmp_path_factory.mktemp("dist")
    for target in ("wheel", "sdist"):
        _run(sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(out))
    return out


def test_the_wheel_holds_schemas_page_types_and_what_a_broker_needs(built: Path) -> None:
    names = zipfile.ZipFile(next(built.glob("*.whl"))).namelist()
    broker = (f"demo/broker/{name}" for name in (LOCK_FILE, "guard.py"))
    wanted = ("schemas/hit/1.0.0.json", "schemas/asyncapi.yaml", "observe/page/page.js", "py.typed", *broker)
    assert not [name for name in wanted if f"producer/{name}" not in names]
    assert not [name for name in names if name.startswith("tests/")]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no repository here: its files are what is compared with")
def test_the_sdist_holds_what_the_repository_holds(built: Path) -> None:
    tracked = {Path(name).parts[0] for name in _run("git", "ls-files").splitlines()}
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        held = {Path(name).parts[1] for name in archive.getnames()}
    assert held - {"PKG-INFO"} == tracked - {".ci"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("version", "kind"), [(OLDEST, "*.tar.gz"), (NEWEST, "*.whl")])
def test_it_installs_and_runs_in_a_clean_environment(built: Path, tmp_path: Path, version: str, kind: str) -> None:
    python = tmp_path / "env" / "bin" / "python"
    _run(FOUND[version], "-m", "venv", str(tmp_path / "env"))
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    _run(*pip, "--require-hashes", "-r", str(ROOT / "requirements.lock"))
    if kind == "*.tar.gz":
        _run(*pip, "hatchling")
        _run(*pip, "--no-deps", "--no-build-isolation", str(next(built.glob(kind))))
    else:
        _run(*pip, "--no-deps", str(next(built.glob(kind))))
    command = str(python.with_name("wolkvox-hits"))
    assert "urn:wolkvox-hits:schema:hit:" in _run(command, "schemas", "print", "hit", cwd=tmp_path)
    assert "0042" in _run(
        command, "config", "show", "--set", "wolkvox.server=0042", "--set", "wolkvox.token=x", cwd=tmp_path
    )
    assert "Example" in _run(command, "run", "--help", cwd=tmp_path)
    _assert_try_names_the_extra(command, tmp_path)
    _run(str(python), "-c", "import producer.service.service, producer.events, producer.demo.simulator", cwd=tmp_path)


def _assert_try_names_the_extra(command: str, tmp_path: Path) -> None:
    """Without the extra there is no jgo to fetch a Kafka with, nor a Java, if the machine has none either."""
    environ = {"PATH": str(tmp_path), "HOME": str(tmp_path), "WOLKVOX_HITS_CACHE": str(tmp_path / "cache")}
    for path in (str(tmp_path), os.environ["PATH"]):
        done = subprocess.run(
            [command, "try"], env=environ | {"PATH": path}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "pip install '.[demo]'" in done.stderr
        assert "Traceback" not in done.stderr


def test_the_locks_name_no_index_and_have_a_hash_for_each_line() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert "--index" not in text
        pins = [line for line in text.splitlines() if "==" in line]
        assert pins
        assert all(line.endswith("\\") for line in pins), "each pin goes on with its hashes"


def test_every_licence_lets_the_service_be_shipped() -> None:
    """Permissive ones, and MPL-2.0, which asks only for its own files; copyleft for the whole would show here."""
    fine = re.compile(r"MIT|BSD|Apache|ISC|MPL|Mozilla Public|PSF|Python Software")
    pins = re.findall(r"^([\w.-]+)==[^;\n]*$", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert len(pins) > 20
    licences = {pin: _licence(pin) for pin in pins}
    assert not {pin: licence for pin, licence in licences.items() if not fine.search(licence) or "GPL" in licence}


def _licence(package: str) -> str:
    about = metadata(package)
    classifiers = [one for one in about.get_all("Classifier") or [] if one.startswith("License")]
    free_text = [one[:60] for one in about.get_all("License") or []]
    return " ".join([*(about.get_all("License-Expression") or []), *free_text, *classifiers])


def _run(*command: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
