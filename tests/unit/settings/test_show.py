"""What `config show` prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from producer.settings import load, show
from producer.settings.layers import KNOWN
from producer.settings.problems import env_name
from tests.unit.settings.reading import read

Toml = Callable[[str], Path]


def test_show_tells_each_setting_once_with_its_origin_and_no_secret() -> None:
    rows = show(read("log.level=DEBUG", WOLKVOX_TOKEN="canary-8f3a", POLL_INTERVAL="90"))
    shown = {row.name: (row.value, row.origin) for row in rows}
    assert [row.name for row in rows] == [env_name(*one) for one in KNOWN]
    assert shown["WOLKVOX_TOKEN"] == ("********", "environment")
    assert shown["POLL_INTERVAL"] == ("1m30s", "environment")
    assert shown["LOG_LEVEL"] == ("debug", "flag")
    assert shown["KAFKA_REPLICATION_FACTOR"] == ("broker's default", "default")
    assert shown["KAFKA_CREATE_TOPICS"] == ("true", "default")
    assert "canary-8f3a" not in repr(rows)


def test_show_tells_a_secret_from_a_file_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("canary-8f3a")
    rows = show(load(config=None, environ={"WOLKVOX_SERVER": "1", "WOLKVOX_TOKEN_FILE": str(tmp_path / "token")}))
    shown = {row.name: (row.value, row.origin) for row in rows}
    assert shown["WOLKVOX_TOKEN"] == ("none", "default")
    assert shown["WOLKVOX_TOKEN_FILE"] == (str(tmp_path / "token"), "environment")


def test_show_tells_what_each_source_comes_to(toml: Toml) -> None:
    config = toml("[poll]\ntimeout = 30\n[[source]]\nserver = 'wv7'\ntoken = 't'\ninterval = '1m'")
    shown = {row.name: (row.value, row.origin) for row in show(load(config=config, environ={}))}
    assert shown["[[source]] 0007 interval"] == ("1m", f"file {config}")
    assert shown["[[source]] 0007 timeout"] == ("30s", "as POLL_TIMEOUT")
    assert shown["[[source]] 0007 url"] == ("https://wv0007.wolkvox.com", "as WOLKVOX_URL")
    assert shown["[[source]] 0007 token"] == ("********", f"file {config}")


def test_show_does_not_tell_a_password_from_a_file_twice(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("canary-8f3a")
    rows = show(
        read(
            KAFKA_SECURITY_PROTOCOL="SASL_SSL",
            KAFKA_SASL_MECHANISM="PLAIN",
            KAFKA_SASL_USERNAME="u",
            KAFKA_SASL_PASSWORD_FILE=str(tmp_path / "password"),
        )
    )
    shown = {row.name: (row.value, row.origin) for row in rows}
    assert shown["KAFKA_SASL_PASSWORD"] == ("none", "default")
    assert shown["KAFKA_SASL_PASSWORD_FILE"] == (str(tmp_path / "password"), "environment")
