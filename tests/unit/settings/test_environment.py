"""Variables as env files, shells and clusters hand them over, with what these leave around a value."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from producer.settings import load, show
from producer.settings.layers import KNOWN
from producer.settings.problems import env_name
from tests.unit.settings.reading import ONE, problem, problems, read

KAFKA = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_USERNAME": "u"}
BOM = "\ufeff"


@pytest.mark.parametrize(
    "given",
    [
        *("0042\n", "0042\r", "0042\r\n", " 0042 ", "\t0042", f"{BOM}0042", "\xa00042"),
        *('"0042"', "'0042'", '"0042"\r', "'\"0042\"'", '" 0042 "'),
        *("WOLKVOX_SERVER=0042", "export WOLKVOX_SERVER='0042'"),
    ],
)
def test_what_env_files_leave_around_a_value_is_not_part_of_it(given: str) -> None:
    assert read(WOLKVOX_SERVER=given).sources[0].server == "0042"


@pytest.mark.parametrize("given", ["tok-en\n", "tok-en\r\n", " tok-en", f"{BOM}tok-en", '"tok-en"', "'tok-en'\r"])
def test_a_token_is_alone_too_for_a_header_carries_no_blank_and_no_token_stands_in_quotes(given: str) -> None:
    assert read(WOLKVOX_TOKEN=given).sources[0].token.read() == "tok-en"


def test_every_kind_of_setting_survives_an_env_file_from_windows_with_quotes(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t")
    given = {
        "WOLKVOX_TOKEN_FILE": str(tmp_path / "token"),
        "WOLKVOX_TIMEZONE": "America/Lima",
        "POLL_INTERVAL": "90s",
        "KAFKA_BOOTSTRAP_SERVERS": "a:1,b:2",
        "KAFKA_CREATE_TOPICS": "false",
        "KAFKA_PARTITIONS": "3",
        "KAFKA_GROUP_ID": "of ours",
        "STATUS_PORT": "0",
        "LOG_FORMAT": "json",
    }
    dirty = {name: f'"{value}"\r' for name, value in given.items()} | {"WOLKVOX_SERVER": "0042\r"}
    clean = {**given, "WOLKVOX_SERVER": "0042"}
    assert show(load(config=None, environ=dirty)) == show(load(config=None, environ=clean))


@pytest.mark.parametrize(
    ("given", "password"),
    [
        *(("pa ss\n", "pa ss"), ("pass\r\n", "pass"), (" pass ", " pass "), ("\tpass", None), (f"{BOM}pass", "pass")),
        *(('"pa"ss"', '"pa"ss"'), ("'pass'", "'pass'"), ("export KEY", "export KEY")),
    ],
)
def test_a_password_loses_the_end_of_its_line_and_nothing_else(given: str, password: str | None) -> None:
    if password is None:
        assert "control character" in problem(**KAFKA, KAFKA_SASL_PASSWORD=given)
        return
    secret = read(**KAFKA, KAFKA_SASL_PASSWORD=given).kafka.sasl_password
    assert secret is not None
    assert secret.read() == password


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_password_in_quotes_is_taken_with_them_and_told(tmp_path: Path, quote: str) -> None:
    (warning,) = read(**KAFKA, KAFKA_SASL_PASSWORD=f"{quote}canary{quote}\n").warnings
    assert warning.startswith("KAFKA_SASL_PASSWORD stands in quotes, and they are sent as part of it: ")
    assert "canary" not in warning
    (tmp_path / "password").write_text(f"{quote}canary{quote}\n")
    assert read(**KAFKA, KAFKA_SASL_PASSWORD_FILE=str(tmp_path / "password")).warnings == (warning,)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("KAFKA_BOOTSTRAP_SERVER", "KAFKA_BOOTSTRAP_SERVERS"),
        ("POLL_INTERVALL", "POLL_INTERVAL"),
        ("WOLKVOX_TOKENFILE", "WOLKVOX_TOKEN_FILE"),
        ("export LOG_LEVL", "LOG_LEVEL"),
    ],
)
def test_a_name_that_is_nearly_a_settings_is_told(written: str, meant: str) -> None:
    name = written.removeprefix("export ")
    assert read(**{written: "canary"}).warnings == (f"{name} is no setting and is ignored; did you mean {meant}?",)


@pytest.mark.parametrize("name", ["KAFKA_HEAP_OPTS", "LOG_DIR", "KAFKA_OPTS", "HOSTNAME", "STATUS_PORT_8080_TCP"])
def test_a_name_of_somebody_elses_is_none_of_our_business(name: str) -> None:
    assert read(**{name: "x"}).warnings == ()


@pytest.mark.parametrize("blank", ["", " ", "\n", "\r", '""', "''", '" "', BOM])
def test_a_blank_variable_counts_as_not_set(blank: str) -> None:
    environ = {"KAFKA_PARTITIONS": blank, "KAFKA_SASL_PASSWORD": blank, "WOLKVOX_HITS_CONFIG": blank}
    settings = load(config=None, environ=ONE | {"WOLKVOX_TOKEN_FILE": blank} | environ)
    assert {settings.origins[name] for name in ("KAFKA_PARTITIONS", "KAFKA_SASL_PASSWORD")} == {"default"}


@pytest.mark.parametrize("name", ["export WOLKVOX_SERVER", f"{BOM}WOLKVOX_SERVER", f"{BOM}export  WOLKVOX_SERVER"])
def test_a_name_loses_what_env_files_leave_before_it(name: str) -> None:
    settings = load(config=None, environ={name: "0043", "WOLKVOX_TOKEN": "t"})
    assert settings.sources[0].server == "0043"
    assert read(**{name: "0043"}).sources[0].server == "0042", "the plain name goes first"


def test_the_files_name_is_freed_of_it_too(tmp_path: Path) -> None:
    config = tmp_path / "x.toml"
    config.write_bytes(f"{BOM}[poll]\r\ninterval = '15s'\r\n".encode())
    assert read(WOLKVOX_HITS_CONFIG=f'"{config}"\r').poll.interval == 15.0


def test_quotes_that_do_not_match_are_left_to_the_setting() -> None:
    assert problem(WOLKVOX_SERVER='"0042').startswith("WOLKVOX_SERVER: not a Wolkvox server")
    assert problem(LOG_LEVEL="\"info'").startswith("LOG_LEVEL: '\"info\\'' is refused")


@pytest.mark.parametrize(
    "text", ["WOLKVOX_TOKEN=canary", "export WOLKVOX_TOKEN=canary", 'KAFKA_SASL_PASSWORD="canary"']
)
def test_an_env_file_in_place_of_a_secrets_file_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(f"{text}\n")
    (line,) = problems(environ={"WOLKVOX_SERVER": "1", "WOLKVOX_TOKEN_FILE": str(tmp_path / "file")})
    assert line.endswith("it starts with a setting's name and =; only what follows belongs there")
    assert "canary" not in line


@pytest.mark.parametrize("quoted", ['"canary"', "'canary'"])
def test_a_token_in_quotes_in_its_file_is_refused_with_the_reason(tmp_path: Path, quoted: str) -> None:
    (tmp_path / "token").write_text(f"{quoted}\n")
    (line,) = problems(environ={"WOLKVOX_SERVER": "1", "WOLKVOX_TOKEN_FILE": str(tmp_path / "token")})
    assert line.startswith(f"WOLKVOX_TOKEN_FILE: {tmp_path / 'token'}: the file holds no secret that can be used: ")
    assert line.endswith(": it stands in quotes; they would be sent as part of it")


def test_a_secret_that_is_no_text_is_told_and_not_left_to_the_login() -> None:
    # What os.environ makes of a byte that is not UTF-8.
    assert problem(**KAFKA, KAFKA_SASL_PASSWORD="caf\udce9") == "KAFKA_SASL_PASSWORD: it is not UTF-8 text"


@pytest.mark.parametrize(
    ("given", "level"), [("WARN", "warning"), ("Warn", "warning"), ("WARNING", "warning"), ("DEBUG", "debug")]
)
def test_a_log_level_is_read_in_any_casing_and_by_its_other_name(given: str, level: str) -> None:
    assert read(LOG_LEVEL=given).log.level == level
    assert read(f"log.level={given}").log.level == level


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8080", "udp://10.0.0.1:53", "tcp://[fd00::1]:8080", "sctp://h:1"])
def test_the_address_that_kubernetes_sets_for_a_service_of_that_name_is_told_with_the_remedy(address: str) -> None:
    assert problem(STATUS_PORT=address) == (
        f"STATUS_PORT: {address!r} is no port but what Kubernetes sets for a Service called status: "
        "enableServiceLinks: false in the pod's spec leaves it out, and a STATUS_PORT of your own goes first"
    )


def test_no_other_setting_is_named_as_kubernetes_or_a_container_link_names_what_it_sets() -> None:
    injected = re.compile(
        r"\w+_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?|NAME|ENV_\w+)"
    )
    assert [name for one in KNOWN if injected.fullmatch(name := env_name(*one))] == ["STATUS_PORT"]
