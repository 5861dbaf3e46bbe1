"""The commands, thin: parse, call, print."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from producer import __version__, observe
from producer.errors import SettingsError, WolkvoxHitsError
from producer.observe.logs import configure
from producer.settings import Settings, load

app = typer.Typer(
    name="wolkvox-hits",
    help="Wolkvox sales hits as a Kafka stream: each hit exactly once.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="A TOML file with settings.")]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="SECTION.FIELD=VALUE", help="One setting; repeatable.")]


@app.callback()
def version(
    *,
    version: Annotated[bool, typer.Option("--version", is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    """Wolkvox sales hits as a Kafka stream: each hit exactly once."""
    if version:
        typer.echo(f"wolkvox-hits {__version__}")
        raise typer.Exit


@app.command(epilog="Example: `WOLKVOX_SERVER=0042 WOLKVOX_TOKEN_FILE=token wolkvox-hits run`")
def run(
    *,
    once: Annotated[bool, typer.Option("--once", help="One poll of each source, committed, then exit.")] = False,
    config: Config = None,
    settings: Set = None,
) -> None:
    """The service: poll, deduplicate, publish, until SIGTERM or SIGINT."""
    from producer.service import Service  # noqa: PLC0415 (the other commands start faster without it)

    loaded = _settings(config, settings)
    configure(level=loaded.log.level, format=loaded.log.format or "auto")
    asyncio.run(Service(loaded).run())


def main() -> None:
    """The entry point: errors in one line each; exit 2 for settings, 1 for anything else that was foreseen."""
    try:
        app()
    except SettingsError as error:
        _fail(error.problems, code=2)
    except WolkvoxHitsError as error:
        _fail([str(error)], code=1)


def _settings(config: Path | None, overrides: list[str] | None) -> Settings:
    return load(config=config, environ=os.environ, overrides=overrides or ())


def _fail(lines: tuple[str, ...] | list[str], *, code: int) -> NoReturn:
    for line in lines:
        print(f"wolkvox-hits: {line}", file=sys.stderr)  # noqa: T201 (this is what the command prints)
    sys.exit(code)
