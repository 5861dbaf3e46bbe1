"""The sources: one from WOLKVOX_*, or one for each [[source]] table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, ValidationError

from producer.errors import SettingsError
from producer.settings.fields import (
    REQUIRED,
    Duration,
    Hits,
    Interval,
    SecretFile,
    Section,
    Server,
    Text,
    Token,
    Zone,
    setting,
)
from producer.settings.layers import Tree
from producer.settings.problems import Problems, details, nearest
from producer.settings.secret import Check, Secret, header_value
from producer.wolkvox.address import base_url, check_url

HOW = "no source; set WOLKVOX_SERVER and WOLKVOX_TOKEN (or WOLKVOX_TOKEN_FILE), or write [[source]] tables in the file"


class Table(Section):
    """One [[source]] table; what it leaves out is as WOLKVOX_* and POLL_* say."""

    server: Server | None = setting(None, "As WOLKVOX_SERVER", shown=REQUIRED, example="0042")
    token: Token | None = setting(None, "As WOLKVOX_TOKEN", example="the-token-of-your-operation")
    token_file: SecretFile | None = setting(None, "As WOLKVOX_TOKEN_FILE", example="/run/secrets/wolkvox_token")
    url: Text | None = setting(None, "As WOLKVOX_URL", example="http://localhost:8090")
    timezone: Zone | None = setting(None, "As WOLKVOX_TIMEZONE", example="America/Bogota")
    hits: Hits | None = setting(None, "As WOLKVOX_HITS", example="marked")
    window: Duration | None = setting(None, "As WOLKVOX_WINDOW", example="10m")
    interval: Interval | None = setting(None, "As POLL_INTERVAL", example="5m")
    timeout: Duration | None = setting(None, "As POLL_TIMEOUT", example="60s")


class SourceSettings(Section):
    """One Wolkvox server with its token: durations in seconds, `url` without a slash at its end."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    server: str
    url: str
    timezone: Zone
    hits: str
    window: float
    interval: float
    timeout: float
    token: Secret


@dataclass(frozen=True)
class Named:
    """A table and what its fields are called in an error."""

    table: Table
    name: Callable[[str], str]


_SHORT = {"interval": "POLL_INTERVAL", "timeout": "POLL_TIMEOUT"}


def short_name(field: str) -> str:
    """`window` to `WOLKVOX_WINDOW`, `interval` to `POLL_INTERVAL`."""
    return _SHORT.get(field, f"WOLKVOX_{field.upper()}")


def resolve(tables: Sequence[Any], tree: Tree, problems: Problems) -> tuple[SourceSettings, ...]:
    """The sources in the order given; what is wrong with them, or that there is none, goes to `problems`."""
    given = _one(tree, problems) if not tables else _many(tables, tree, problems)
    _refuse_twice(given, problems)
    resolved = (_resolve(named, tree, problems) for named in given)
    return tuple(source for source in resolved if source is not None)


def secret_of(text: Secret | None, file: Path | None, *, name: str, check: Check, problems: Problems) -> Secret | None:
    """The one of both forms that was given, read once to see that it can be; None if neither is."""
    if file is None:
        return text
    secret = Secret.from_file(file, name=f"{name}_FILE" if name.isupper() else f"{name}_file", check=check)
    try:
        secret.read()
    except SettingsError as error:
        problems.add(*error.problems[0].split(": ", 1))
    return secret


def _one(tree: Tree, problems: Problems) -> list[Named]:
    given = tree.wolkvox
    if given.server is None:
        problems.follow("WOLKVOX_SERVER", HOW, because=["SOURCE"])
        return []
    return [Named(Table(server=given.server, token=given.token, token_file=given.token_file), short_name)]


def _many(tables: Sequence[Any], tree: Tree, problems: Problems) -> list[Named]:
    for field in ("server", "token", "token_file"):
        if getattr(tree.wolkvox, field) is not None or short_name(field) in problems.names:
            problems.add(short_name(field), "set beside [[source]] tables; use one of the two ways, not both")
    return [_table(table, number, problems) for number, table in enumerate(tables, start=1)]


def _table(table: Any, number: int, problems: Problems) -> Named:
    def name(field: str) -> str:
        return f"[[source]] {number} {field}"

    if not isinstance(table, dict):
        problems.add(name("server"), "the table is missing; write [[source]] on a line of its own")
        return Named(Table(), name)
    for field in table.keys() - Table.model_fields.keys():
        problems.add(name(field), f"no such key; the nearest is {nearest(field, Table.model_fields)}")
    known = {field: value for field, value in table.items() if field in Table.model_fields}
    try:
        return Named(Table.model_validate(known), name)
    except ValidationError as error:
        refused = {str(detail["loc"][0]): detail for detail in details(error)}
    for field, detail in refused.items():
        problems.refuse(name(field), detail, secret=field in {"token", "token_file"})
    # What is left is right; the other checks can go on with it.
    return Named(Table.model_validate({field: value for field, value in known.items() if field not in refused}), name)


def _refuse_twice(given: Sequence[Named], problems: Problems) -> None:
    first: dict[str, str] = {}
    for named in given:
        server, name = named.table.server, named.name("server")
        if server is not None and first.setdefault(server, name) != name:
            problems.add(name, f"{server} is the server of {first[server]} as well; each server once")


def _resolve(named: Named, tree: Tree, problems: Problems) -> SourceSettings | None:
    table, name = named.table, named.name
    token = _token(named, problems)
    if table.server is None:
        problems.follow(name("server"), "required: the server's number, as a string")
        return None
    url = _url(table.server, named, tree, problems)
    if token is None or url is None:
        return None
    return SourceSettings(
        server=table.server,
        url=url,
        timezone=table.timezone or tree.wolkvox.timezone,
        hits=table.hits or tree.wolkvox.hits,
        window=table.window or tree.wolkvox.window,
        interval=table.interval or tree.poll.interval,
        timeout=table.timeout or tree.poll.timeout,
        token=token,
    )


def _token(named: Named, problems: Problems) -> Secret | None:
    table, name = named.table, named.name
    if table.token is not None and table.token_file is not None:
        problems.follow(name("token"), f"{name('token_file')} is set as well; give one of them")
    token = secret_of(table.token, table.token_file, name=name("token"), check=header_value, problems=problems)
    if token is None:
        problems.follow(name("token"), f"required: it, or {name('token_file')}", because=[name("token_file")])
    return token


def _url(server: str, named: Named, tree: Tree, problems: Problems) -> str | None:
    # A table without a url takes WOLKVOX_URL (a proxy or a simulator for all), and then that is the one to fix.
    override = named.table.url or tree.wolkvox.url
    try:
        return check_url(base_url(server, override), allow_http=tree.wolkvox.allow_http)
    except ValueError as error:
        problems.follow(named.name("url") if named.table.url else "WOLKVOX_URL", str(error))
        return None
