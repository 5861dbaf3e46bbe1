"""The commands that come in groups: ledger, schemas, config."""

from __future__ import annotations

from typing import Annotated

import typer

from producer.commands.options import Config, OfEvents, Set, settings_of

# ruff: noqa: PLC0415 (as in cli.py: `--help` should not wait for Kafka's client)

ledger = typer.Typer(no_args_is_help=True, help="What the service remembers on Kafka.")


@ledger.command("show", epilog="Example: `wolkvox-hits ledger show 0042`")
def ledger_show(
    *,
    server: Annotated[str | None, typer.Argument(help="One server, such as 0042; else all.")] = None,
    config: Config = None,
    overrides: Set = None,
) -> None:
    """Ids, dead rows and cursor of each source."""
    from producer.commands.ledger import ledger_show as show

    raise typer.Exit(show(settings_of(config, overrides, sources=False), server))


@ledger.command("export", epilog="Example: `wolkvox-hits ledger export > ledger.jsonl`")
def ledger_export(*, config: Config = None, overrides: Set = None) -> None:
    """All entries as JSON lines."""
    from producer.commands.ledger import ledger_export as export

    raise typer.Exit(export(settings_of(config, overrides, sources=False)))


@ledger.command("init", epilog="Example: `wolkvox-hits ledger init`")
def ledger_init(*, config: Config = None, overrides: Set = None) -> None:
    """Create a missing ledger although hits were published under another, accepting duplicates."""
    from producer.commands.ledger import ledger_init as init

    raise typer.Exit(init(settings_of(config, overrides, sources=False)))


@ledger.command("reset", epilog="Example: `wolkvox-hits ledger reset 0042`")
def ledger_reset(
    *,
    server: Annotated[str, typer.Argument(help="The source's server, such as 0042.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: Config = None,
    overrides: Set = None,
) -> None:
    """Forget all about one source, with the service stopped: what the API still shows is published again."""
    from producer.commands.ledger import ledger_reset as reset

    raise typer.Exit(reset(settings_of(config, overrides, sources=False), server, yes=yes))


schemas = typer.Typer(no_args_is_help=True, help="The schemas of the events.")


@schemas.command("list", epilog="Example: `wolkvox-hits schemas list`")
def schemas_list() -> None:
    """Every version with its digest."""
    from producer.commands.schemas import schemas_list as show

    raise typer.Exit(show())


@schemas.command("print", epilog="Example: `wolkvox-hits schemas print hit`")
def schemas_print(
    name: Annotated[str, typer.Argument(help="hit, hit_changed, dead_letter, coverage_gap or gap_recovered.")],
    version: Annotated[str | None, typer.Argument(help="Such as 1.0.0.")] = None,
) -> None:
    """One schema; without a version the one that is sent."""
    from producer.commands.schemas import schemas_print as show

    raise typer.Exit(show(name, version))


@schemas.command("registered", epilog="Example: `wolkvox-hits schemas registered hits`")
def schemas_registered(
    topic: Annotated[OfEvents, typer.Argument(metavar="TOPIC", help=", ".join(OfEvents))],
) -> None:
    """What a schema registry is given for a topic: for whoever registers it by hand (REGISTRY_REGISTER=false)."""
    from producer.commands.schemas import schemas_registered as show
    from producer.model import Topic

    raise typer.Exit(show(Topic[topic.name]))


configuration = typer.Typer(no_args_is_help=True, help="The settings.")


@configuration.command("show", epilog="Example: `wolkvox-hits config show --config wolkvox-hits.toml`")
def config_show(*, config: Config = None, overrides: Set = None) -> None:
    """What is in force and where it comes from, secrets masked."""
    from producer.commands.config import config_show as show

    raise typer.Exit(show(settings_of(config, overrides, sources=False)))


@configuration.command("example", epilog="Example: `wolkvox-hits config example > wolkvox-hits.toml`")
def config_example() -> None:
    """A file with every setting, its default and its meaning."""
    from producer.commands.config import config_example as show

    raise typer.Exit(show())
