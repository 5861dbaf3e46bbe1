"""Options that commands share, and the settings that come of them."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from producer.settings import Settings, load

Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="A TOML file with settings.")]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="SECTION.FIELD=VALUE", help="One setting; repeatable.")]


class OfEvents(StrEnum):
    """The topics of events, as they are named on the command line."""

    HITS = "hits"
    CHANGES = "changes"
    DEAD_LETTER = "dead-letter"
    COVERAGE = "coverage"


def settings_of(config: Path | None, overrides: list[str] | None, *, sources: bool = True) -> Settings:
    """The settings in force; raises SettingsError. A command that only reads Kafka needs no source."""
    return load(config=config, environ=os.environ, overrides=overrides or (), sources_required=sources)
