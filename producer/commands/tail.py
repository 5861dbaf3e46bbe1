"""`wolkvox-hits tail`: one topic of events as any consumer would read it, committed ones only."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing, suppress

from rich.console import Console

from producer.clock import Clock, SystemClock
from producer.commands.console import print_lines, stdout, until_nobody_reads
from producer.commands.loop import run
from producer.commands.tail_rows import Lines, whole
from producer.kafka import tail as reader
from producer.kafka.connection import Connection, instance_name
from producer.model import Topic
from producer.settings import Settings


def tail(
    settings: Settings,
    *,
    topic: Topic = Topic.HITS,
    since: float | None = None,
    follow: bool = True,
    show_personal: bool = False,
    console: Console | None = None,
    clock: Clock | None = None,
) -> int:
    """Print events until Ctrl-C, or to the present end; `since` is so many seconds back.

    Without `since` it begins now, or at the beginning when it does not follow. On a terminal telephones and customer
    ids are left out unless `show_personal`; in a pipe each line is the whole record. Raises KafkaFailed.
    """
    console = console or stdout()
    begin = (clock or SystemClock()).now().wall - since if since is not None else None
    if begin is None and not follow:
        begin = reader.BEGINNING
    connection = Connection(settings.kafka, client_id=f"wolkvox-hits-tail-{instance_name()}")
    printing = _printing(settings, topic, console, show_personal=show_personal)
    with until_nobody_reads(console), suppress(KeyboardInterrupt):
        name = settings.kafka.topic + topic
        run(_print_all(connection, name, printing, since=begin, follow=follow))
    return 0


async def _print_all(
    connection: Connection, name: str, show: Callable[[reader.Tailed], None], *, since: float | None, follow: bool
) -> None:
    async with aclosing(reader.tail(connection, name, since=since, follow=follow)) as records:
        async for record in records:
            show(record)


def _printing(
    settings: Settings, topic: Topic, console: Console, *, show_personal: bool
) -> Callable[[reader.Tailed], None]:
    if not console.is_terminal:

        def write(record: reader.Tailed) -> None:
            print_lines(console, [whole(record)])
            # The next program in the pipe gets each event when it comes, not when a buffer is full.
            console.file.flush()

        return write
    zones = {source.server: source.timezone for source in settings.sources}
    lines = Lines(topic, width=console.width, zones=zones, show_personal=show_personal)
    console.print(lines.head())
    return lambda record: console.print(lines.line(record))
