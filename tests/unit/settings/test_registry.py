"""REGISTRY_*: a schema registry's address and what opens it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.reading import ONE, problem, problems, read

URL = "https://registry.example.com/apis/ccompat/v7"
LOGIN = {"REGISTRY_URL": URL, "REGISTRY_USERNAME": "u", "REGISTRY_PASSWORD": "p"}


def test_without_an_address_there_is_none_and_with_one_our_schemas_are_registered() -> None:
    assert read().registry.url is None
    assert read(REGISTRY_URL=URL).registry.register is True
    assert read(REGISTRY_URL=URL, REGISTRY_REGISTER="false").registry.register is False


def test_a_registry_has_its_table_in_the_file(tmp_path: Path) -> None:
    config = tmp_path / "x.toml"
    config.write_text(f'[registry]\nurl = "{URL}"\nregister = false\n')
    registry = read(config=config).registry
    assert (registry.url, registry.register) == (URL, False)


def test_the_password_may_be_in_a_file_that_is_read_again_at_each_use(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("first\n")
    registry = read(REGISTRY_URL=URL, REGISTRY_USERNAME="u", REGISTRY_PASSWORD_FILE=str(file)).registry
    assert registry.password is not None
    before = registry.password.read()
    file.write_text("second\n")
    assert (before, registry.password.read()) == ("first", "second")


@pytest.mark.parametrize("url", ["registry", "ftp://registry", "https://u:p@registry", "http://a:8081,http://b:8081"])
def test_what_is_no_address_is_refused_and_not_repeated(url: str) -> None:
    line = problem(REGISTRY_URL=url)
    assert line.startswith("REGISTRY_URL: ")
    assert url not in line


@pytest.mark.parametrize(("missing", "given"), [("USERNAME", "PASSWORD"), ("PASSWORD", "USERNAME")])
def test_a_login_is_user_and_password(missing: str, given: str) -> None:
    half = {name: value for name, value in LOGIN.items() if name != f"REGISTRY_{missing}"}
    assert problem(**half) == f"REGISTRY_{missing}: required with REGISTRY_{given}"


def test_a_password_file_that_is_not_there_is_one_problem(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert problem(REGISTRY_URL=URL, REGISTRY_USERNAME="u", REGISTRY_PASSWORD_FILE=str(gone)) == (
        f"REGISTRY_PASSWORD_FILE: {gone}: No such file or directory"
    )


def test_what_opens_a_registry_has_no_use_without_one(tmp_path: Path) -> None:
    pem = tmp_path / "ca.pem"
    pem.write_text("pem")
    opens = {"REGISTRY_USERNAME": "u", "REGISTRY_PASSWORD": "p", "REGISTRY_CAFILE": str(pem)}
    assert problems(environ=ONE | opens) == tuple(f"{name}: has no use without REGISTRY_URL" for name in opens)
    assert problem(REGISTRY_URL="http://registry:8081", REGISTRY_CAFILE=str(pem)).startswith("REGISTRY_CAFILE: ")


def test_a_password_that_travels_in_the_clear_is_warned_of() -> None:
    (line,) = read(**LOGIN | {"REGISTRY_URL": "http://registry.example.com"}).warnings
    assert line == "REGISTRY_URL with http shows REGISTRY_PASSWORD on the way; https does not"
    for near in (URL, "http://registry:8081", "http://127.0.0.1:8081"):
        assert read(**LOGIN | {"REGISTRY_URL": near}).warnings == ()
    assert read(REGISTRY_URL="http://registry.example.com").warnings == ()


def test_a_password_in_quotes_is_warned_of() -> None:
    (line,) = read(**LOGIN | {"REGISTRY_PASSWORD": '"p"'}).warnings
    assert line.startswith("REGISTRY_PASSWORD stands in quotes")
