"""`wolkvox-hits check`: settings, each source, Kafka and the schema registry, looked at before anything runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from rich.console import Console

from producer.clock import Clock, SystemClock
from producer.commands.check_findings import Finding, Verdict, failed, ok, print_findings, warning, worst
from producer.commands.check_kafka import AREA as KAFKA
from producer.commands.check_kafka import kafka_findings
from producer.commands.check_registry import AREA as REGISTRY
from producer.commands.check_registry import registry_findings
from producer.commands.check_source import SourceCheck
from producer.commands.console import stdout, until_nobody_reads
from producer.commands.loop import run
from producer.core.turns import Turns
from producer.errors import SettingsError
from producer.kafka.connection import Connection, instance_name
from producer.observe.listening import bound
from producer.registry.client import registry_of
from producer.service.wiring import api_of
from producer.settings import Settings, SourceSettings
from producer.wolkvox.address import base_url

DEADLINE = 25.0
"""Seconds for each of them, all at the same time; what is not known by then is told as such."""
AT_ONCE = 20
"""Sources that are asked at the same time."""


def check(settings: Settings, *, as_json: bool, console: Console | None = None, deadline: float = DEADLINE) -> int:
    """Look at everything and print it; 1 if anything failed. Raises SettingsError for a proxy or a file of no use."""
    console = console or stdout()
    findings = run(_look(settings, console, deadline=deadline, quietly=as_json))
    with until_nobody_reads(console):
        print_findings(console, findings, as_json=as_json)
    return int(worst(findings) is Verdict.FAILED)


async def look(settings: Settings, *, clock: Clock | None = None, deadline: float = DEADLINE) -> list[Finding]:
    """Everything that `check` finds, in the order it is told; takes a little more than `deadline` seconds at most."""
    reached = Connection(settings.kafka, client_id=f"wolkvox-hits-check-{instance_name()}")
    turns, room = Turns(), asyncio.Semaphore(AT_ONCE)
    checks = [named(settings, source) for source in settings.sources]
    looking = [
        *(_within(deadline, one.area, _source(one, turns, room, clock or SystemClock(), settings)) for one in checks),
        _within(deadline, KAFKA, kafka_findings(reached, heals=settings.recover.heals)),
    ]
    if (registry := registry_of(settings)) is not None:
        looking.append(_within(deadline, REGISTRY, registry_findings(registry)))
    found = await asyncio.gather(*looking)
    of_settings = [*_of_settings(settings), *await _of_page(settings)]
    return [*of_settings, *(finding for findings in found for finding in findings)]


async def _look(settings: Settings, console: Console, *, deadline: float, quietly: bool) -> list[Finding]:
    if quietly or not console.is_terminal:
        return await look(settings, deadline=deadline)
    with console.status("asking the API and Kafka"):
        return await look(settings, deadline=deadline)


def _of_settings(settings: Settings) -> list[Finding]:
    sources, kafka = len(settings.sources), settings.kafka
    text = f"{sources} source{'' if sources == 1 else 's'}, topic {kafka.topic}, group {kafka.group_id}"
    hint = "`wolkvox-hits config show` tells each setting and where it comes from"
    warnings = [warning("settings", problem.split()[0], problem, hint) for problem in settings.warnings]
    return [ok("settings", "read", text), *_of_privacy(settings), *warnings]


def _of_privacy(settings: Settings) -> list[Finding]:
    one = settings.privacy
    if one.keeps_all:
        return []
    extra = "keep" if one.keeps_extra else "drop"
    text = f"telephone {one.telephone}, customer id {one.customer_id}, other fields {extra}"
    return [
        ok("settings", "privacy", f"{text}; after a change of these, or of the key, hits in the report are changes")
    ]


async def _of_page(settings: Settings) -> list[Finding]:
    """Whether the status page can have its address; at any port, since its own may be that of the running service."""
    try:
        sockets = await bound(settings.status.host, 0)
    except SettingsError as error:
        hint = "the service would go on without its page, and probes would fail: `*` is every address of this machine"
        return [warning("settings", "STATUS_HOST", str(error), hint)]
    for one in sockets:
        one.close()
    return []


async def _within(deadline: float, area: str, findings: AsyncIterator[Finding]) -> Sequence[Finding]:
    found: list[Finding] = []
    try:
        async with asyncio.timeout(deadline):
            async for finding in findings:
                found.append(finding)  # noqa: PERF401 (a comprehension would lose them all at the deadline)
    except TimeoutError:
        hint = "whatever comes after the last line above is unknown; something on the way swallows packets"
        found.append(failed(area, "time", f"no end within {deadline:g} s", hint))
    return found


async def _source(
    check: SourceCheck, turns: Turns, room: asyncio.Semaphore, clock: Clock, settings: Settings
) -> AsyncIterator[Finding]:
    source = check.source
    api = api_of(source, settings, clock)
    try:
        # The API refuses simultaneous calls of a token, and two sources may share one.
        async with turns.turn(source.token.read), room:
            async for finding in check.findings(api):
                yield finding
    finally:
        await api.aclose()


def named(settings: Settings, source: SourceSettings) -> SourceCheck:
    """The source with the names of the settings to mend, as its owner wrote them."""
    table = f"[[source]] {source.server}"
    tabled = f"{table} server" in settings.origins

    def name(field: str) -> str:
        origin = settings.origins.get(f"{table} {field}", f"as WOLKVOX_{field.upper()}")
        return origin.removeprefix("as ") if origin.startswith("as ") else f"{table} {field}"

    own = source.url == base_url(source.server, None)
    server = f"{table} server" if tabled else "WOLKVOX_SERVER"
    return SourceCheck(source, token_setting=name("token"), url_setting=server if own else name("url"))
