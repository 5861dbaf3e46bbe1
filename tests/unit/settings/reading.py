"""Ways to read settings in these tests: nothing comes from the machine's own environment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from producer.errors import SettingsError
from producer.settings import Settings, load

ONE = {"WOLKVOX_SERVER": "0042", "WOLKVOX_TOKEN": "the-token"}
"""The least that can be set."""


def read(*overrides: str, config: Path | str | None = None, **environ: str) -> Settings:
    """Read with one source in the environment."""
    return load(config=_path(config), environ=ONE | environ, overrides=overrides)


def problems(
    *, config: Path | None = None, environ: dict[str, str] | None = None, overrides: Sequence[str] = ()
) -> tuple[str, ...]:
    """What is wrong with the settings."""
    with pytest.raises(SettingsError) as caught:
        load(config=config, environ=environ or {}, overrides=overrides)
    return caught.value.problems


def problem(*overrides: str, config: Path | str | None = None, **environ: str) -> str:
    """The only thing that is wrong, with one source in the environment."""
    (line,) = problems(config=_path(config), environ=ONE | environ, overrides=overrides)
    return line


def _path(config: Path | str | None) -> Path | None:
    # A text only so that **environ, all texts, may stand beside it for the type checker.
    return None if config is None else Path(config)
