"""The settings as they take effect."""

from __future__ import annotations

import tomllib

import pytest

from producer.commands.config import config_example, config_show
from tests.unit.commands.screens import pipe, printed, terminal
from tests.unit.settings.reading import read


@pytest.mark.parametrize("width", [80, 120])
def test_each_setting_is_shown_with_its_value_and_its_origin_and_no_secret(width: int) -> None:
    console = terminal(width)
    assert config_show(read("poll.interval=2m", WOLKVOX_TOKEN="canary-token"), console=console) == 0
    lines = printed(console)
    assert any(line.split() == ["POLL_INTERVAL", "2m", "flag"] for line in lines)
    assert any(line.split() == ["WOLKVOX_TOKEN", "********", "environment"] for line in lines)
    assert "canary-token" not in "".join(lines)
    assert max(map(len, lines)) <= width


def test_a_pipe_gets_one_line_for_each_setting() -> None:
    console = pipe()
    config_show(read(), console=console)
    head, *lines = printed(console)
    assert head.split() == ["SETTING", "VALUE", "FROM"]
    assert len({line.split()[0] for line in lines}) == len(lines)


def test_the_example_is_a_file_that_changes_nothing() -> None:
    console = pipe()
    assert config_example(console=console) == 0
    assert all(section == {} for section in tomllib.loads("\n".join(printed(console))).values())
