"""Where a setting comes from, and which place wins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from producer.errors import SettingsError
from producer.settings import load
from producer.settings.layers import KNOWN
from producer.settings.problems import env_name
from tests.unit.settings.reading import ONE, problem, problems, read

Toml = Callable[[str], Path]


def test_the_defaults_are_those_of_the_design() -> None:
    settings = read()
    (source,) = settings.sources
    assert (source.server, source.url) == ("0042", "https://wv0042.wolkvox.com")
    assert (source.timezone.key, source.window) == ("America/Bogota", 600.0)
    assert (source.interval, source.timeout, settings.dedup.window) == (300.0, 60.0, 7_200.0)
    kafka = settings.kafka
    assert (kafka.bootstrap_servers, kafka.topic, kafka.group_id) == ("localhost:9092", "wolkvox.hits", "wolkvox-hits")
    assert (kafka.group_instance_id, kafka.session_timeout) == (None, 10.0)
    assert (kafka.create_topics, kafka.partitions, kafka.replication_factor) == (True, 12, None)
    assert (kafka.retention, kafka.compression, kafka.security_protocol) == (604_800.0, "none", "PLAINTEXT")
    assert (settings.pending.limit, settings.status.host, settings.status.port) == (500_000, "127.0.0.1", 8080)
    assert (settings.log.level, settings.log.format, settings.warnings) == ("info", None, ())


def test_the_names_are_those_of_the_design() -> None:
    names = {env_name(*one) for one in KNOWN}
    assert names == {
        *("WOLKVOX_SERVER", "WOLKVOX_TOKEN", "WOLKVOX_TOKEN_FILE", "WOLKVOX_URL", "WOLKVOX_ALLOW_HTTP"),
        "WOLKVOX_SSL_CAFILE",
        *("WOLKVOX_TIMEZONE", "WOLKVOX_HITS", "WOLKVOX_WINDOW", "POLL_INTERVAL", "POLL_TIMEOUT", "DEDUP_WINDOW"),
        *("PRIVACY_TELEPHONE", "PRIVACY_CUSTOMER_ID", "PRIVACY_KEY", "PRIVACY_KEY_FILE", "PRIVACY_EXTRA"),
        *("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_TOPIC", "KAFKA_GROUP_ID", "KAFKA_GROUP_INSTANCE_ID"),
        *("KAFKA_SESSION_TIMEOUT", "KAFKA_CREATE_TOPICS", "KAFKA_PARTITIONS", "KAFKA_REPLICATION_FACTOR"),
        *("KAFKA_RETENTION", "KAFKA_COMPRESSION", "KAFKA_SECURITY_PROTOCOL", "KAFKA_SASL_MECHANISM"),
        *("KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD", "KAFKA_SASL_PASSWORD_FILE"),
        *("KAFKA_SASL_OAUTH_TOKEN_URL", "KAFKA_SASL_OAUTH_CLIENT_ID", "KAFKA_SASL_OAUTH_SCOPE"),
        *("KAFKA_SASL_OAUTH_CLIENT_SECRET", "KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE"),
        *("KAFKA_SSL_CAFILE", "KAFKA_SSL_CERTFILE", "KAFKA_SSL_KEYFILE"),
        *("REGISTRY_URL", "REGISTRY_USERNAME", "REGISTRY_PASSWORD", "REGISTRY_PASSWORD_FILE", "REGISTRY_CAFILE"),
        "REGISTRY_REGISTER",
        *("RECOVER_GAPS", "RECOVER_DELAY", "RECOVER_HIT"),
        *("PENDING_LIMIT", "STATUS_HOST", "STATUS_PORT", "LOG_LEVEL", "LOG_FORMAT"),
    }


@pytest.mark.parametrize(("section", "name"), KNOWN)
def test_each_setting_is_read_from_the_environment(section: str, name: str) -> None:
    # One that takes no such value says so by its name; one that takes any text is seen with its origin.
    environ = ONE | {env_name(section, name): "?"}
    try:
        settings = load(config=None, environ=environ)
    except SettingsError as error:
        assert env_name(section, name) in str(error)  # noqa: PT017  (both ways are right)
    else:
        assert settings.origins[env_name(section, name)] == "environment"


def test_a_flag_goes_before_the_environment_that_before_the_file_that_before_the_default(toml: Toml) -> None:
    config = toml("[kafka]\npartitions = 3\ntopic = 'file'\ngroup_id = 'file'\n")
    settings = read("kafka.partitions=5", config=config, KAFKA_PARTITIONS="4", KAFKA_TOPIC="environment")
    kafka = settings.kafka
    assert (kafka.partitions, kafka.topic, kafka.group_id, kafka.session_timeout) == (5, "environment", "file", 10.0)
    origins = [settings.origins[f"KAFKA_{name}"] for name in ("PARTITIONS", "TOPIC", "GROUP_ID", "SESSION_TIMEOUT")]
    assert origins == ["flag", "environment", f"file {config}", "default"]


def test_the_last_of_two_flags_counts() -> None:
    assert read("poll.interval=1m", "poll.interval=2m").poll.interval == 120.0


def test_a_flags_value_may_hold_an_equals_sign() -> None:
    assert read("wolkvox.token=a=b").sources[0].token.read() == "a=b"


def test_the_environment_can_name_the_file(toml: Toml) -> None:
    assert read(WOLKVOX_HITS_CONFIG=str(toml("[poll]\ninterval = '15s'"))).poll.interval == 15.0


def test_the_flag_names_the_file_before_the_environment_does(toml: Toml) -> None:
    assert read(config=toml("[status]\nport = 0"), WOLKVOX_HITS_CONFIG="/nowhere").status.port == 0


def test_unknown_environment_variables_are_ignored() -> None:
    others = {
        "KAFKA_HEAP_OPTS": "-Xmx1g",
        "KAFKA": "{",
        "LOG_DIR": "/x",
        "SOURCE": "x",
        "POLL_": "1",
        "poll_interval": "1",
    }
    assert read(**others).poll.interval == 300.0


def test_an_empty_environment_variable_counts_as_not_set() -> None:
    settings = read(KAFKA_PARTITIONS="", KAFKA_GROUP_INSTANCE_ID="", WOLKVOX_HITS_CONFIG="")
    assert (settings.kafka.partitions, settings.kafka.group_instance_id) == (12, None)


@pytest.mark.parametrize(
    ("text", "name", "nearest"),
    [
        ("[poll]\nintervall = 1", "POLL_INTERVALL", "poll.interval"),
        ("[pol]\ninterval = 1", "POL", "poll"),
        ("[kafka]\ninterval = 1", "KAFKA_INTERVAL", "poll.interval"),
        ("topic = 'x'", "TOPIC", "kafka.topic"),
        ("[[sources]]\nserver = '1'", "SOURCES", "source"),
        ("[kafka]\nbootstrap = 'x:1'", "KAFKA_BOOTSTRAP", "kafka.bootstrap_servers"),
    ],
)
def test_an_unknown_key_in_the_file_is_an_error_that_names_the_nearest(
    toml: Toml, text: str, name: str, nearest: str
) -> None:
    line = problem(config=toml(text))
    assert line.startswith(f"{name}: no such setting")
    assert line.endswith(f"the nearest is {nearest}")


def test_an_unknown_flag_is_an_error_that_names_the_nearest() -> None:
    assert problem("poll.intervall=15s") == (
        "POLL_INTERVALL: no such setting (poll.intervall in a flag); the nearest is poll.interval"
    )


def test_a_flag_without_a_value_is_an_error() -> None:
    assert problem("poll.interval") == "POLL_INTERVAL: the flag has no value; write poll.interval=value"


def test_a_flag_named_as_in_the_environment_is_told_its_own_name() -> None:
    assert problem("POLL_INTERVAL=15s") == "POLL_INTERVAL: write poll.interval=value in a flag"


@pytest.mark.parametrize("flag", ["=", "source=1", "a-secret-that-lost-its-name"])
def test_a_flag_that_is_no_setting_is_told_the_form_and_not_repeated(flag: str) -> None:
    assert problem(flag) == "--set: write section.field=value, such as poll.interval=1m"


def test_a_file_that_is_not_there_is_the_problem_of_whoever_named_it(tmp_path: Path) -> None:
    gone = tmp_path / "gone.toml"
    assert problems(config=gone) == (f"--config: {gone}: No such file or directory",)
    assert problems(environ={"WOLKVOX_HITS_CONFIG": str(gone)}) == (
        f"WOLKVOX_HITS_CONFIG: {gone}: No such file or directory",
    )


def test_a_file_that_is_not_toml_is_told_with_its_line(toml: Toml) -> None:
    line = problem(config=toml("[poll]\ninterval = 5m\n"))
    assert line.startswith("--config: ")
    assert "is not TOML" in line
    assert "line 2" in line


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    config = tmp_path / "x.toml"
    config.write_bytes(b"\xff")
    assert problem(config=config) == f"--config: {config} is not UTF-8 text (byte 0)"


def test_beside_a_file_that_cannot_be_read_the_other_places_are_checked_too(tmp_path: Path) -> None:
    lines = problems(
        config=tmp_path / "gone.toml", environ={"POLL_INTERVAL": "x", "KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}
    )
    assert [line.partition(":")[0] for line in lines] == ["--config", "POLL_INTERVAL"]


def test_a_section_that_is_no_table_is_an_error(toml: Toml) -> None:
    config = toml("poll = 5\n")
    assert problem(config=config, POLL_INTERVAL="1m") == f"POLL: is a table: write [poll] ({config})"


def test_a_secret_here_overrules_its_file_there(toml: Toml, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file")
    config = toml(f"[wolkvox]\nserver = '1'\ntoken_file = '{tmp_path / 'token'}'")
    settings = load(config=config, environ={"WOLKVOX_TOKEN": "from-environment"})
    assert settings.sources[0].token.read() == "from-environment"
    assert settings.wolkvox.token_file is None


def test_a_secrets_file_here_overrules_the_secret_there(toml: Toml, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file")
    config = toml("[wolkvox]\nserver = '1'\ntoken = 'in-the-file'")
    settings = load(config=config, environ={"WOLKVOX_TOKEN_FILE": str(tmp_path / "token")})
    assert settings.sources[0].token.read() == "from-file"


def test_a_secret_in_both_forms_at_one_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file")
    assert problem(WOLKVOX_TOKEN_FILE=str(tmp_path / "token")) == (
        "WOLKVOX_TOKEN: WOLKVOX_TOKEN_FILE is set as well; give one of them"
    )


def test_settings_cannot_be_changed() -> None:
    settings = read()
    for model, name in ((settings, "sources"), (settings.poll, "interval"), (settings.sources[0], "token")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(model, name, None)
