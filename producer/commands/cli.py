"""The commands, thin: parse, call, print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from producer import __version__
from producer.commands import loop
from producer.commands.groups import configuration, ledger, schemas
from producer.commands.options import Config, OfEvents, Set, settings_of
from producer.commands.recover_group import recover
from producer.commands.streams import fail
from producer.duration import seconds
from producer.errors import SettingsError, WolkvoxHitsError
from producer.garbage import search_seldom
from producer.heap import keep_freed_memory
from producer.imports import COLOURS, importing
from producer.model import Topic
from producer.observe.logs import configure
from producer.settings import Settings

# Imports of rooms are inside the commands: `--help` and `config show` should not wait for Kafka's client.
# ruff: noqa: PLC0415

SIMULATED_TOKEN = "simulated-token"  # noqa: S105 (opens nothing but the simulator)

app = typer.Typer(
    name="wolkvox-hits",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    # A local variable may hold a secret for a moment.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(value: bool) -> None:  # noqa: FBT001 (typer's signature of a callback)
    if value:
        typer.echo(f"wolkvox-hits {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Wolkvox sales hits as a Kafka stream: each hit exactly once."""


@app.command(
    epilog="Example: `WOLKVOX_SERVER=0042 WOLKVOX_TOKEN_FILE=token wolkvox-hits run`\n\n"
    "Every setting: `wolkvox-hits config example`"
)
def run(
    *,
    once: Annotated[bool, typer.Option("--once", help="One poll of each source, committed, then exit.")] = False,
    config: Config = None,
    overrides: Set = None,
) -> None:
    """The service: poll, deduplicate, publish, until SIGTERM or SIGINT."""
    settings = settings_of(config, overrides)
    configure(level=settings.log.level, format=settings.log.format or "auto")
    keep_freed_memory()
    search_seldom()
    if once:
        _once(settings)
        return
    with importing(without=COLOURS):
        from producer.service.service import Service

    loop.run(Service(settings).run())


@app.command(epilog="Example: `wolkvox-hits simulate --rate 5 --fault 'http-500@30s-60s'`")
def simulate(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: any free one.")] = 8090,
    token: Annotated[str, typer.Option(help="The first server's token; 'any' accepts every one.")] = SIMULATED_TOKEN,
    servers: Annotated[int, typer.Option(min=1, max=1_000, help="How many Wolkvox servers, from 0042 on.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed, the same hits.")] = 1,
    rate: Annotated[float, typer.Option(help="Hits a second and server.")] = 1.0,
    window: Annotated[str, typer.Option(help="How far back the report reaches: 15s, 10m, 1h.")] = "10m",
    late: Annotated[float, typer.Option(help="Share of rows that appear late, 0 to 1.")] = 0.05,
    typify_late: Annotated[
        float, typer.Option(help="Share of rows that show an empty hit first, and its code later; some are corrected.")
    ] = 0.0,
    quota: Annotated[int, typer.Option(min=1, help="Calls a day and server.")] = 100_000,
    fault: Annotated[str, typer.Option(help="A fault or a plan of them; '--fault list' shows all.")] = "",
) -> None:
    """Serve a simulated Wolkvox API, with faults on demand."""
    from producer.demo.simulator import Simulator, serve, server_names
    from producer.demo.simulator.faults import FAULTS
    from producer.net.listening import is_no_address

    if fault == "list":
        for name, one in sorted(FAULTS.items()):
            typer.echo(f"{name:20} {one.description}")
        return
    reach = _duration(window, option="--window")
    try:
        simulator = Simulator(
            host=host,
            port=port,
            token=token,
            servers=server_names(servers),
            seed=seed,
            rate=rate,
            window=reach,
            late=late,
            typify_late=typify_late,
            quota=quota,
            fault=fault,
        )
    except ValueError as error:
        fail([str(error)], code=2)
    try:
        serve(simulator, echo=typer.echo)
    except OSError as error:
        if is_no_address(error):
            fail([f"--host: {host!r} is no address of this machine"], code=1)
        fail([f"can't listen on {host}:{port}: {error.strerror}; choose another --port, or 0"], code=1)


@app.command(epilog="Example: `wolkvox-hits demo`")
def demo(
    *,
    rate: Annotated[float | None, typer.Option(help="Hits a second.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Lines instead of a live screen, as in a pipe.")] = False,
) -> None:
    """Everything on this machine: a real Kafka, a simulated call centre, a crash, an outage, an audit."""
    from producer.demo.show.command import demo as show

    try:
        raise typer.Exit(show(rate=rate, plain=plain))
    except ValueError as error:
        fail([f"--{error}"], code=2)


@app.command("try", epilog="Example: `WOLKVOX_SERVER=0042 WOLKVOX_TOKEN_FILE=wolkvox-token wolkvox-hits try`")
def try_(
    *,
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="Where it stays; else under ~/.local/share.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Lines instead of a live screen, as in a pipe.")] = False,
    config: Config = None,
    overrides: Set = None,
) -> None:
    """The service on a real Kafka of its own that stays: your server and token, or else a simulated call centre."""
    from producer.commands.trial import trial

    def load(*more: str, sources: bool) -> Settings:
        return settings_of(config, [*(overrides or ()), *more], sources=sources)

    raise typer.Exit(trial(load, data=data, plain=plain))


@app.command(epilog="Example: `wolkvox-hits check --config wolkvox-hits.toml`")
def check(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    config: Config = None,
    overrides: Set = None,
) -> None:
    """Try everything that the service needs: settings, sources, Kafka, registry; exit 1 if anything fails."""
    from producer.commands.check import check as look

    raise typer.Exit(look(settings_of(config, overrides), as_json=as_json))


@app.command(epilog="Example: `wolkvox-hits tail --since 1h`")
def tail(
    *,
    topic: Annotated[OfEvents, typer.Option(metavar="TOPIC", help=", ".join(OfEvents))] = OfEvents.HITS,
    since: Annotated[str | None, typer.Option(help="Begin so long ago: 15m, 1h, 2d; else with what comes now.")] = None,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Go on with what comes, or end.")] = True,
    show_personal: Annotated[bool, typer.Option("--show-personal", help="Telephones and customer ids too.")] = False,
    config: Config = None,
    overrides: Set = None,
) -> None:
    """Follow one of the topics, read_committed: a table on a terminal, JSON lines in a pipe."""
    from producer.commands.tail import tail as read

    ago = None if since is None else _duration(since, option="--since")
    settings = settings_of(config, overrides, sources=False)
    # Else the Kafka client says dozens of times a second, in lines of its own, that a broker is away.
    configure(level="warning", format=settings.log.format or "auto")
    raise typer.Exit(read(settings, topic=Topic[topic.name], since=ago, follow=follow, show_personal=show_personal))


app.add_typer(recover, name="recover")
app.add_typer(ledger, name="ledger")
app.add_typer(schemas, name="schemas")
app.add_typer(configuration, name="config")


def main() -> None:
    """The entry point: errors in a line each; exit 2 for settings, 1 for anything else that was foreseen."""
    try:
        app()
    except SettingsError as error:
        fail(error.problems, code=2)
    except WolkvoxHitsError as error:
        fail([str(error)], code=1)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("producer.demo"):
            raise
        fail(["this installation, such as the image's, only runs the service; a pip install has all commands"], code=1)
    except KeyboardInterrupt:
        sys.exit(130)


def _once(settings: Settings) -> None:
    with importing(without=COLOURS):
        from producer.service.once import Once

    results = loop.run(Once(settings).run())
    for result in results:
        typer.echo(f"{result.server}: {result.text}")
    if not all(result.ok for result in results):
        raise typer.Exit(1)


def _duration(text: str, *, option: str) -> float:
    try:
        return seconds(text)
    except ValueError as error:
        fail([f"{option}: {error}"], code=2)
