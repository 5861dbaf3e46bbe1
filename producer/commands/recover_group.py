"""The commands of `recover`, thin: parse, call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Annotated

import typer

from producer import duration
from producer.commands.options import Config, Set, settings_of
from producer.commands.streams import fail
from producer.errors import SettingsError
from producer.model import API_FIELDS, Reason
from producer.settings import Settings, SourceSettings
from producer.wolkvox.address import normalise_server

if TYPE_CHECKING:
    from producer.commands.recover import How

# ruff: noqa: PLC0415 (as in cli.py: `--help` should not wait for Kafka's client)

recover = typer.Typer(
    no_args_is_help=True, help="Bring in hits that no report showed, each once: beside the service or without it."
)

Server = Annotated[str | None, typer.Option(help="The source, such as 0042; needed if there are several.")]
From = Annotated[str, typer.Option("--from", metavar="TIME", help="As 2026-01-18T19:00 in the source's zone, or 2h.")]
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Likewise; else RECOVER_DELAY ago.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be published.")]
AcceptUnknown = Annotated[
    bool, typer.Option("--accept-unknown", help="Also what may have been told before the topic begins.")
]


@recover.command(
    "history", epilog="Example: `wolkvox-hits recover history --from 2026-01-18T19:00 --to 2026-01-18T20:00`"
)
def recover_history(
    *,
    from_: From,
    to: To = None,
    server: Server = None,
    dry_run: DryRun = False,
    accept_unknown: Annotated[
        bool,
        typer.Option("--accept-unknown", help="Also what may have been told, or where the ids seem to be others."),
    ] = False,
    config: Config = None,
    overrides: Set = None,
) -> None:
    """Publish what the API's historical reports have of a time, if their ids are those of the hits before it."""
    from producer.commands.recover import recover_history as publish

    how = _how(config, overrides, server, dry_run=dry_run, accept_unknown=accept_unknown)
    raise typer.Exit(publish(how, _span(how, from_, to)))


@recover.command("file", epilog="Example: `wolkvox-hits recover file hits.csv --map conn_id=ID --map hit=Resultado`")
def recover_file(
    path: Annotated[Path, typer.Argument(help="The report's JSON, JSON lines, or CSV with a line of names.")],
    *,
    columns: Annotated[
        list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="A CSV's column; repeatable.")
    ] = None,
    server: Server = None,
    dry_run: DryRun = False,
    accept_unknown: AcceptUnknown = False,
    config: Config = None,
    overrides: Set = None,
) -> None:
    """Publish what a file has: an answer of the API that somebody saved, or a spreadsheet's export."""
    from producer.commands.recover import recover_file as publish

    named = _columns(columns or ())
    how = _how(config, overrides, server, dry_run=dry_run, accept_unknown=accept_unknown)
    raise typer.Exit(publish(how, path, named))


@recover.command("dead-letters", epilog="Example: `wolkvox-hits recover dead-letters --since 7d --reason too_large`")
def recover_dead_letters(
    *,
    since: Annotated[str | None, typer.Option(help="Of so long ago: 1h, 7d; else all that are there.")] = None,
    reason: Annotated[
        list[Reason] | None, typer.Option(metavar="REASON", help=f"One of {', '.join(Reason)}; repeatable. Else all.")
    ] = None,
    server: Server = None,
    dry_run: DryRun = False,
    accept_unknown: AcceptUnknown = False,
    config: Config = None,
    overrides: Set = None,
) -> None:
    """Publish dead letters that can be read by now: by a newer version, or since the topic takes larger ones."""
    from producer.commands.recover import recover_dead_letters as publish

    ago = None if since is None else _seconds(since, option="--since")
    how = _how(config, overrides, server, dry_run=dry_run, accept_unknown=accept_unknown)
    raise typer.Exit(publish(how, since=ago, reasons=reason or ()))


@recover.command("verify", epilog="Example: `wolkvox-hits recover verify --from 2h --to 1h`")
def recover_verify(
    *, from_: From, to: To = None, server: Server = None, config: Config = None, overrides: Set = None
) -> None:
    """Say how the history and the topic agree; exit 1 if they don't. Publishes nothing."""
    from producer.commands.recover import recover_verify as verify

    how = _how(config, overrides, server)
    raise typer.Exit(verify(how, _span(how, from_, to)))


def _how(
    config: Path | None,
    overrides: list[str] | None,
    server: str | None,
    *,
    dry_run: bool = False,
    accept_unknown: bool = False,
) -> How:
    from producer.commands.recover import How

    settings = settings_of(config, overrides)
    return How(settings=settings, source=_source(settings, server), dry_run=dry_run, accept_unknown=accept_unknown)


def _source(settings: Settings, server: str | None) -> SourceSettings:
    known = {source.server: source for source in settings.sources}
    if server is None and len(known) == 1:
        return settings.sources[0]
    there = ", ".join(known)
    if server is None:
        raise SettingsError([f"--server: needed, for there are several sources: {there}"])
    try:
        number = normalise_server(server)
    except ValueError as error:
        raise SettingsError([f"--server: {error}"]) from None
    if number not in known:
        raise SettingsError([f"--server: {number} is no source in the settings; there are: {there}"])
    return known[number]


def _span(how: How, begin: str, end: str | None) -> tuple[float, float]:
    now = time()
    first = moment(begin, how.source, now, option="--from")
    last = now - how.settings.recover.delay if end is None else moment(end, how.source, now, option="--to")
    if not first < last <= now:
        fail(["--from, --to: the one must be before the other, and neither in the future"], code=2)
    return first, last


def moment(text: str, source: SourceSettings, now: float, *, option: str) -> float:
    """A date, in the source's zone if it names none, or a duration back from now; in Unix seconds."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        try:
            return now - duration.seconds(text)
        except ValueError:
            fail([f"{option}: neither a time such as 2026-01-18T19:00 nor a duration such as 2h"], code=2)
    return (moment if moment.tzinfo else moment.replace(tzinfo=source.timezone)).timestamp()


def _seconds(text: str, *, option: str) -> float:
    try:
        return duration.seconds(text)
    except ValueError as error:
        fail([f"{option}: {error}"], code=2)


def _columns(given: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    wrong = [name for name, _, column in pairs if name not in API_FIELDS or not column.strip()]
    if wrong:
        fail([f"--map {name}: write FIELD=COLUMN, with a field of {', '.join(API_FIELDS)}" for name in wrong], code=2)
    return {name: column for name, _, column in pairs}
