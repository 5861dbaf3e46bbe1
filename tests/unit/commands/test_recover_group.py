"""The face of `recover`: what is wrong with a call is told before anything is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from producer.commands.cli import app
from producer.commands.recover_group import moment
from producer.errors import SettingsError
from producer.settings import load

ONE = {"WOLKVOX_SERVER": "0042", "WOLKVOX_TOKEN": "simulated-token"}
NEW_YORK = ONE | {"WOLKVOX_TIMEZONE": "America/New_York"}
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()


def refused(arguments: Sequence[str], environ: dict[str, str] = ONE) -> tuple[int, str]:
    """The exit code, and what was told."""
    ended = CliRunner().invoke(app, ["recover", *arguments], env=environ)
    if isinstance(ended.exception, SettingsError):
        return 2, "\n".join(ended.exception.problems)
    return ended.exit_code, ended.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("file", "nowhere.csv"), "PATH: nowhere.csv: No such file"),
        (("file", "nowhere.csv", "--map", "name=x"), "--map name: write FIELD=COLUMN, with a field of conn_id, "),
        (("file", "nowhere.csv", "--map", "hit="), "--map hit: write FIELD=COLUMN"),
        (("file", "nowhere.csv", "--server", "0043"), "--server: 0043 is no source in the settings; there are: 0042"),
        (("file", "nowhere.csv", "--server", "the-token"), "--server: not a Wolkvox server"),
        (("history", "--from", "yesterday"), "--from: neither a time such as"),
        (("history", "--from", "1h", "--to", "2h"), "--from, --to: the one must be before the other"),
        (("history", "--from", "5m"), "--from, --to: the one must be before the other"),  # RECOVER_DELAY is 20m
        (("verify", "--from", "1h", "--to", "2999-01-01"), "neither in the future"),
        (("dead-letters", "--since", "yesterday"), "is not a duration; write"),
        (("dead-letters", "--reason", "whatever"), "'whatever' is not one of"),
    ],
)
def test_a_mistake_in_the_usage_is_told(arguments: tuple[str, ...], told: str) -> None:
    code, text = refused(arguments)
    assert code == 2
    assert told in text


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty; needed is"),
        (b" \r\n\t\xef\xbb\xbf\n", "the file is empty; needed is"),
        (bytes(512), "the file is empty; needed is"),
        (b"PK\x03\x04\x14\x00\x06\x00", "no text, as a spreadsheet is that was not saved as CSV; needed is"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00>", "no text, as a spreadsheet is that was not saved as CSV; needed is"),
        (b"\n<table><tr><td>conn_id</td></tr></table>", "HTML; needed is"),
        (b"{broken", "no JSON, nor a row on any line: truncated or broken JSON; needed is"),
        (b"[", "no JSON, nor a row on any line: truncated or broken JSON; needed is"),
        (b'{"x": 1}\n{"y": 2}', "no JSON, nor a row on any line: truncated or broken JSON; needed is"),
        (b'{"error": "upstream failed"}', "JSON without rows to read: the answer is no report: its data"),
        (
            b'{"code": 403, "msg": "PLEASE VALIDATE TOKEN"}',
            "JSON without rows to read: the API does not accept",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_told_and_what_to_do(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, told: str
) -> None:
    path = tmp_path_factory.mktemp("files") / "hits"
    path.write_bytes(content)
    code, text = refused(["file", str(path)])
    assert (code, text.count("\n")) == (2, 0)
    assert text.startswith(f"PATH: {path}: {told}")
    assert "(200)" not in text


def test_with_several_sources_one_must_be_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("settings") / "wolkvox-hits.toml"
    file.write_text("".join(f'[[source]]\nserver = "{server}"\ntoken = "t"\n' for server in ("0042", "0043")))
    code, text = refused(["verify", "--from", "2h", "--config", str(file)], {})
    assert code == 2
    assert "--server: needed, for there are several sources: 0042, 0043" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-07-01T08:00", NOON),
        ("2026-07-01 08:00:00", NOON),
        ("2026-07-01T12:00Z", NOON),
        ("2026-07-01T07:00-05:00", NOON),
        ("2h", NOON - 7200),
    ],
)
def test_a_time_is_the_source_s_own_unless_it_says_otherwise_or_so_long_ago(text: str, expected: float) -> None:
    [source] = load(config=None, environ=NEW_YORK).sources
    assert moment(text, source, NOON, option="--from") == expected


@pytest.mark.parametrize("command", ["history", "file", "dead-letters", "verify"])
def test_each_command_says_what_it_does_with_an_example(command: str) -> None:
    printed = CliRunner().invoke(app, ["recover", command, "--help"]).output
    assert f"Example: wolkvox-hits recover {command}" in " ".join(printed.split())
