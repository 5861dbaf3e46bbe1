from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from producer.settings import load
from tests.unit.settings.reading import ONE, problem, problems, read

Toml = Callable[[str], Path]

TWO = """
[[source]]
server = "0042"
token = "a"
[[source]]
server = "wv7"
token = "b"
url = "http://localhost:8090/"
timezone = "America/Lima"
window = "1h"
interval = "15s"
timeout = 10
"""


def test_each_source_table_is_a_source_in_the_files_order(toml: Toml) -> None:
    first, second = load(config=toml(TWO), environ={}).sources
    assert (first.server, first.url, first.token.read()) == ("0042", "https://wv0042.wolkvox.com", "a")
    assert (second.server, second.url, second.token.read()) == ("0007", "http://localhost:8090", "b")
    assert (second.timezone.key, second.window, second.interval, second.timeout) == (
        "America/Lima",
        3_600.0,
        15.0,
        10.0,
    )


def test_what_a_table_leaves_out_is_as_the_one_source_settings_say(toml: Toml) -> None:
    environ = {
        "WOLKVOX_URL": "https://proxy.example.com",
        "WOLKVOX_TIMEZONE": "UTC",
        "WOLKVOX_WINDOW": "20m",
        "POLL_INTERVAL": "2m",
        "POLL_TIMEOUT": "20s",
    }
    (source,) = load(config=toml("[[source]]\nserver = '1'\ntoken = 'a'"), environ=environ).sources
    assert (source.url, source.timezone.key) == ("https://proxy.example.com", "UTC")
    assert (source.window, source.interval, source.timeout) == (1_200.0, 120.0, 20.0)


def test_a_tables_token_file_is_read_again_at_each_use(toml: Toml, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first")
    (source,) = load(config=toml(f"[[source]]\nserver = '1'\ntoken_file = '{file}'"), environ={}).sources
    before = source.token.read()
    file.write_text("second")
    assert (before, source.token.read()) == ("first", "second")


@pytest.mark.parametrize("written", ["42", "0042", "wv0042", "https://wv0042.wolkvox.com"])
def test_a_server_is_four_digits_however_it_is_written(written: str) -> None:
    assert read(WOLKVOX_SERVER=written).sources[0].server == "0042"


def test_a_server_that_is_a_number_in_the_file_is_refused(toml: Toml) -> None:
    config = toml("[wolkvox]\nserver = 0o42\ntoken = 't'")
    lines = problems(config=config)
    assert lines[0] == 'WOLKVOX_SERVER: not a string; write it in quotes, as "0042"'


def test_no_source_at_all_is_an_error_that_says_how_to_give_one() -> None:
    (line,) = problems()
    assert line.startswith("WOLKVOX_SERVER: no source; set WOLKVOX_SERVER and WOLKVOX_TOKEN (or WOLKVOX_TOKEN_FILE)")
    assert "[[source]]" in line


def test_a_source_without_a_token_is_an_error() -> None:
    assert problems(environ={"WOLKVOX_SERVER": "1"}) == ("WOLKVOX_TOKEN: required: it, or WOLKVOX_TOKEN_FILE",)


def test_both_ways_at_once_are_an_error(toml: Toml) -> None:
    lines = problems(config=toml(TWO), environ=ONE)
    assert lines == (
        "WOLKVOX_SERVER: set beside [[source]] tables; use one of the two ways, not both",
        "WOLKVOX_TOKEN: set beside [[source]] tables; use one of the two ways, not both",
    )


def test_both_ways_in_the_file_are_an_error_too(toml: Toml) -> None:
    (line,) = problems(config=toml("[wolkvox]\nserver = '5'\n" + TWO))
    assert line.startswith("WOLKVOX_SERVER: set beside [[source]] tables")


def test_a_server_twice_after_normalising_is_an_error(toml: Toml) -> None:
    (line,) = problems(config=toml(TWO + "[[source]]\nserver = '7'\ntoken = 'c'"))
    assert line == "[[source]] 3 server: 0007 is the server of [[source]] 2 server as well; each server once"


def test_every_problem_of_every_table_is_told_at_once(toml: Toml) -> None:
    config = toml(
        """
        [[source]]
        token = "a"
        urll = "x"
        interval = "0.5s"
        [[source]]
        server = "x"
        timezone = "Mars/Olympus"
        [[source]]
        server = "3"
        url = "http://example.com"
        timeout = "soon"
        """
    )
    names = [line.partition(":")[0] for line in problems(config=config)]
    assert sorted(names) == [
        *("[[source]] 1 interval", "[[source]] 1 server", "[[source]] 1 urll"),
        *("[[source]] 2 server", "[[source]] 2 timezone", "[[source]] 2 token"),
        *("[[source]] 3 timeout", "[[source]] 3 token", "[[source]] 3 url"),
    ]


def test_an_unknown_key_of_a_table_names_the_nearest(toml: Toml) -> None:
    (line,) = problems(config=toml("[[source]]\nserver = '1'\ntoken = 't'\ntime_zone = 'UTC'"))
    assert line == "[[source]] 1 time_zone: no such key; the nearest is timezone"


@pytest.mark.parametrize("text", ["source = 5", "[source]\nserver = '1'", "source = [5]"])
def test_what_is_no_source_table_is_an_error(toml: Toml, text: str) -> None:
    assert any("[[source]]" in line for line in problems(config=toml(text)))


def test_plain_http_is_for_near_hosts_only() -> None:
    assert read(WOLKVOX_URL="http://simulator:8090").sources[0].url == "http://simulator:8090"
    assert problem(WOLKVOX_URL="http://example.com").startswith("WOLKVOX_URL: plain http would show the token")


def test_plain_http_elsewhere_can_be_allowed_and_is_warned_of() -> None:
    settings = read(WOLKVOX_URL="http://example.com", WOLKVOX_ALLOW_HTTP="true")
    assert settings.sources[0].url == "http://example.com"
    assert settings.warnings == ("WOLKVOX_ALLOW_HTTP lets the token of source 0042 travel unprotected; https does not",)


def test_what_a_hit_is_may_be_said_for_all_sources_and_for_each(toml: Toml) -> None:
    assert read().sources[0].hits == "all"
    assert read(WOLKVOX_HITS="Marked").sources[0].hits == "marked"
    text = "[wolkvox]\nhits = 'marked'\n[[source]]\nserver = '1'\ntoken = 'a'\n"
    text += "[[source]]\nserver = '2'\ntoken = 'b'\nhits = 'all'\n"
    assert [source.hits for source in load(config=toml(text), environ={}).sources] == ["marked", "all"]


def test_an_interval_from_one_second_up_is_accepted() -> None:
    assert read(POLL_INTERVAL="1s").sources[0].interval == 1.0
    assert problem(POLL_INTERVAL="0.9s") == "POLL_INTERVAL: 0.9s is too small; 1s and up is accepted"


def test_an_interval_and_timeout_that_reach_the_window_are_warned_of_with_the_arithmetic(toml: Toml) -> None:
    text = TWO + "[[source]]\nserver = '9'\ntoken = 'c'\ninterval = '9m'\ntimeout = '1m'\n"
    (line,) = load(config=toml(text), environ={}).warnings
    assert line == (
        "POLL_INTERVAL 9m + POLL_TIMEOUT 1m = 10m, not less than WOLKVOX_WINDOW 10m (source 0009): "
        "one slow poll loses hits; an interval below 9m leaves it room"
    )


def test_where_the_timeout_alone_takes_the_window_it_is_the_one_to_shorten() -> None:
    (line,) = read(POLL_TIMEOUT="10m").warnings
    assert line.endswith("one slow poll loses hits; a timeout well below 10m leaves it room")


def test_a_window_over_the_reports_hour_is_warned_of() -> None:
    (line,) = read(WOLKVOX_WINDOW="61m").warnings
    assert line.startswith("WOLKVOX_WINDOW 1h1m is more than the hour that the report has (source 0042)")
    assert line.endswith("; 1h is the most")


def test_a_dedup_window_under_the_reports_hour_is_warned_of() -> None:
    (line,) = read(DEDUP_WINDOW="59m").warnings
    assert line.startswith("DEDUP_WINDOW 59m is less than the hour that the report may show a hit")
    assert read(DEDUP_WINDOW="1h").warnings == ()


def test_a_wrong_server_beside_tables_is_told_as_both(toml: Toml) -> None:
    lines = problems(config=toml(TWO), environ={"WOLKVOX_SERVER": "x"})
    assert [line.partition(": ")[2][:11] for line in lines] == ["not a Wolkv", "set beside "]


def test_a_tables_token_in_both_forms_is_an_error(toml: Toml, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t")
    text = f"[[source]]\nserver = '1'\ntoken = 't'\ntoken_file = '{tmp_path / 'token'}'"
    assert problems(config=toml(text)) == (
        "[[source]] 1 token: [[source]] 1 token_file is set as well; give one of them",
    )


def test_a_tables_refused_token_file_is_one_problem(toml: Toml) -> None:
    (line,) = problems(config=toml("[[source]]\nserver = '1'\ntoken_file = 5"))
    assert line.startswith("[[source]] 1 token_file: ")
