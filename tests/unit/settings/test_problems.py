from __future__ import annotations

from pathlib import Path

from tests.unit.settings.reading import ONE, problems


def test_all_problems_are_told_at_once_each_with_its_settings_name() -> None:
    lines = problems(
        environ={
            "POLL_INTERVAL": "5 minuts",
            "KAFKA_PARTITIONS": "0",
            "KAFKA_COMPRESSION": "brotli",
            "STATUS_PORT": "65536",
            "LOG_LEVEL": "loud",
            "KAFKA_CREATE_TOPICS": "perhaps",
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        }
    )
    assert lines == (
        "POLL_INTERVAL: '5 minuts' is not a duration; write 15s, 5m, 2h, 7d, 1h30m or seconds",
        "KAFKA_CREATE_TOPICS: 'perhaps' is refused: input should be a valid boolean, unable to interpret input",
        "KAFKA_PARTITIONS: 0 is too small; 1 and up is accepted",
        "KAFKA_COMPRESSION: 'brotli' is refused: input should be 'none', 'gzip', 'snappy', 'lz4' or 'zstd'",
        "STATUS_PORT: 65536 is too large; 65535 is the most",
        "LOG_LEVEL: 'loud' is refused: input should be 'debug', 'info', 'warning' or 'error'",
        lines[6],
        "KAFKA_SASL_MECHANISM: required with KAFKA_SECURITY_PROTOCOL=SASL_SSL",
    )
    assert lines[6].startswith("WOLKVOX_SERVER: no source")


def test_what_is_wrong_in_three_places_is_told_at_once(tmp_path: Path) -> None:
    config = tmp_path / "x.toml"
    config.write_text("[poll]\ninterval = 'x'\ntimout = 1\n")
    lines = problems(config=config, environ=ONE | {"POLL_TIMEOUT": "x"}, overrides=["log.level=x", "log.lvl=x"])
    assert {line.partition(":")[0] for line in lines} == {
        *("LOG_LVL", "POLL_TIMOUT", "POLL_INTERVAL", "POLL_TIMEOUT", "LOG_LEVEL")
    }
