"""`wolkvox-hits ledger show | export | init | reset`: what the service remembers, and how to make it forget."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator

import orjson
from rich.console import Console

from producer import duration
from producer.clock import SystemClock
from producer.commands.console import print_lines, print_table, stdout, until_nobody_reads
from producer.commands.ledger_summary import HEADERS, ServerEntries, rows, summary
from producer.commands.loop import run
from producer.errors import SettingsError, Unavailable
from producer.kafka.access.group import Group, describe_group
from producer.kafka.access.inquiry import Inquiry
from producer.kafka.connection import Connection, instance_name
from producer.kafka.entries import PartitionEntries, ledger_name, ledger_partitions, read_entries
from producer.kafka.reset import begin_ledger, reset_source
from producer.kafka.topics import TopicSetup
from producer.model import Topic
from producer.settings import Settings
from producer.wolkvox.address import normalise_server

Confirm = Callable[[str], bool]
"""Asks a person; whether the answer is yes."""


def ledger_show(settings: Settings, server: str | None = None, *, console: Console | None = None) -> int:
    """Print what the ledger knows of each source, or of one; raises KafkaFailed, SettingsError for no server's name."""
    console = console or stdout()
    wanted = None if server is None else _number(server)
    ledger = run(_read(settings, wanted))
    configured = {source.server for source in settings.sources}
    known = list(rows(ledger, configured={wanted} & configured if wanted else configured))
    with until_nobody_reads(console):
        if known:
            print_table(console, HEADERS, known)
        else:
            about = "" if wanted is None else f" of server {wanted}"
            print_lines(console, [f"{settings.kafka.topic}{Topic.LEDGER} knows nothing{about}"])
    return 0


def ledger_export(settings: Settings, *, console: Console | None = None) -> int:
    """Print every entry as a line of JSON: partition, key and value; raises KafkaFailed."""
    console = console or stdout()
    ledger = run(_read(settings, None))
    with until_nobody_reads(console):
        for number, there in ledger.items():
            print_lines(console, [_exported(number, key, value) for key, value in there.entries.items()])
    return 0


def ledger_init(settings: Settings, *, console: Console | None = None) -> int:
    """Begin a ledger that is missing or empty, whatever was published before; raises KafkaFailed."""
    console = console or stdout()
    created, lesser, begun = run(_begin(_connection(settings)))
    with until_nobody_reads(console):
        print_lines(console, [*_begun(created, settings.kafka.topic, begun=begun), *lesser])
    return 0


def ledger_reset(
    settings: Settings, server: str, *, yes: bool, console: Console | None = None, confirm: Confirm | None = None
) -> int:
    """Forget what is known of one source, with the service stopped; 1 if it runs or nobody agrees. Raises KafkaFailed.

    Without `yes` it asks on a terminal, and refuses where nobody can be asked.
    """
    console = console or stdout()
    server = _number(server)
    connection = _connection(settings)
    group = run(_group(connection))
    if group.members:
        print_lines(console, list(_running(group, settings)))
        return 1
    known = _known(settings, server, console)
    if known == []:
        print_lines(console, [f"{ledger_name(connection)} knows nothing of server {server}: nothing to reset"])
        return 0
    print_lines(console, list(_cost(server, known, settings)))
    console.file.flush()
    if not yes and not (confirm or _ask)(f"Reset server {server}? [y/N] "):
        print_lines(console, ["Nothing was changed. --yes answers beforehand."])
        return 1
    entries = run(reset_source(connection, server, clock=SystemClock()))
    print_lines(console, [f"{entries} entries of server {server} are gone. The service can be started again."])
    return 0


def _connection(settings: Settings) -> Connection:
    return Connection(settings.kafka, client_id=f"wolkvox-hits-ledger-{instance_name()}")


async def _read(settings: Settings, server: str | None) -> dict[int, PartitionEntries]:
    connection = _connection(settings)
    partitions = await ledger_partitions(connection)
    return dict(await read_entries(connection, partitions=partitions, server=server))


async def _group(connection: Connection) -> Group:
    async with Inquiry(connection) as cluster:
        return await describe_group(cluster)


def _exported(partition: int, key: bytes, value: bytes) -> str:
    try:
        content = orjson.loads(value)
    except orjson.JSONDecodeError:
        content = value.decode(errors="replace")
    return json.dumps({"partition": partition, "key": key.decode(errors="replace"), "value": content})


async def _begin(connection: Connection) -> tuple[list[str], list[str], bool]:
    created: list[str] = []
    lesser: list[str] = []
    setup = TopicSetup(connection, accept_loss=True, on_created=created.extend, on_lesser=lesser.append)
    topics = await setup.ready()
    return created, lesser, await begin_ledger(connection, topics, clock=SystemClock())


def _begun(created: list[str], topic: str, *, begun: bool) -> Iterator[str]:
    yield from (f"created {name}" for name in created)
    if not begun:
        yield f"{topic}{Topic.LEDGER} is there already: nothing to do"
        return
    if topic + Topic.LEDGER not in created:
        yield f"{topic}{Topic.LEDGER} was empty: it is begun anew"
    if topic not in created:
        yield "What the API still shows at the next start is published, again if it was before: up to an hour of hits."


def _running(group: Group, settings: Settings) -> Iterator[str]:
    kafka = settings.kafka
    yield f"The service runs: the group {kafka.group_id} has {len(group.members)} of these. Stop them first."
    yield from (f"  {member}" for member in group.members)
    session = duration.text(kafka.session_timeout)
    yield f"An instance that was killed, or has a KAFKA_GROUP_INSTANCE_ID, is listed for {session} after its end."


def _known(settings: Settings, server: str, console: Console) -> list[ServerEntries] | None:
    """What the ledger knows of a server; None if an open transaction is in the way, which a reset aborts."""
    try:
        return summary(run(_read(settings, server)))
    except Unavailable as error:
        print_lines(console, [f"The entries can't be counted now: {error}."])
        return None


def _cost(server: str, known: list[ServerEntries] | None, settings: Settings) -> Iterator[str]:
    if known is not None:
        ids, dead = sum(one.ids for one in known), sum(one.dead for one in known)
        where = ", ".join(str(one.partition) for one in known)
        yield f"Server {server} has {ids} ids, {dead} dead rows and its cursor in partition {where} of the ledger."
    yield "A reset forgets them, and nobody can bring them back. What it costs:"
    yield "  - hits and dead letters that the API still shows, up to an hour of them, are published a second time;"
    yield "  - time without polls before the next start is not told as a coverage gap."
    yield f"It takes the transactional id of each shard: an instance outside group {settings.kafka.group_id} is fenced."


def _ask(question: str) -> bool:
    if not sys.stdin.isatty():
        return False
    sys.stdout.write(question)
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _number(server: str) -> str:
    try:
        return normalise_server(server)
    except ValueError as error:
        raise SettingsError([f"SERVER: {error}"]) from None
