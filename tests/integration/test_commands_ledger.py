"""`ledger` and `tail` against a real Kafka: what is told, what is forgotten, and who is in the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from time import time

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from producer.clock import SystemClock
from producer.commands.ledger import ledger_export, ledger_init, ledger_reset, ledger_show
from producer.commands.tail import tail
from producer.core.ledger import cursor_record, shard_of, tombstone
from producer.errors import SettingsError, Untrusted
from producer.kafka.connection import Connection
from producer.kafka.reset import reset_source
from producer.kafka.topics import TopicSetup
from producer.model import Cursor, Outgoing
from producer.settings import Settings, load
from tests.integration.service.admin import Admin
from tests.twins.told import a_told, a_told_dead
from tests.unit.commands.screens import pipe, printed, terminal

pytestmark = pytest.mark.kafka

SHARDS = 12
NOON = 1_768_737_600.0


@pytest.fixture
def here(kafka: str, topic: str) -> Settings:
    """Settings of an installation whose topics were made and whose ledger knows two servers."""
    settings = settings_for(kafka, topic)
    asyncio.run(_fill(settings))
    return settings


def settings_for(kafka: str, topic: str) -> Settings:
    source = {"WOLKVOX_SERVER": "0042", "WOLKVOX_TOKEN": "simulated-token"}
    where = {"KAFKA_BOOTSTRAP_SERVERS": kafka, "KAFKA_TOPIC": topic, "KAFKA_GROUP_ID": topic}
    return load(config=None, environ=source | where)


def entries(server: str) -> list[Outgoing]:
    return [
        a_told("a", "b", server=server),
        a_told("c", server=server),
        a_told_dead("hash", server=server),
        cursor_record(server, Cursor(NOON, None)),
    ]


async def _fill(settings: Settings) -> None:
    await TopicSetup(Connection(settings.kafka, client_id="test")).ready()
    for server in ("0042", "0043"):
        await write(settings, entries(server), partition=shard_of(server, SHARDS))


async def write(settings: Settings, records: Iterable[Outgoing], *, partition: int) -> None:
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers) as producer:
        for record in records:
            name = settings.kafka.topic + record.topic
            await producer.send_and_wait(name, key=record.key, value=record.value, partition=partition)


def shown(settings: Settings, server: str | None = None) -> dict[str, list[str]]:
    """The lines of `ledger show` by server."""
    console = pipe()
    assert ledger_show(settings, server, console=console) == 0
    return {line.split()[0]: line.split() for line in printed(console)[1:]}


def exported(settings: Settings) -> list[str]:
    """The keys of `ledger export`."""
    console = pipe()
    assert ledger_export(settings, console=console) == 0
    return sorted(json.loads(line)["key"] for line in printed(console))


def keys(*records: Outgoing) -> list[str]:
    return sorted(record.key.decode() for record in records)


def test_show_tells_each_server_with_its_counts_and_its_cursor(here: Settings) -> None:
    lines = shown(here)
    partition = str(shard_of("0042", SHARDS))
    assert lines["0042"][:8] == ["0042", partition, "3", "0", "1", "0", "2026-01-18", "12:00:00Z"]
    assert "settings:" in lines["0043"]  # "not in the settings: nobody polls it here"
    assert set(shown(here, "43")) == {"0043"}


def test_a_server_of_which_nothing_is_known_is_told_in_a_line_and_no_empty_table(here: Settings) -> None:
    console = pipe()
    assert ledger_show(here, "99", console=console) == 0
    assert printed(console) == [f"{here.kafka.topic}.ledger knows nothing of server 0099"]


def test_a_ledger_that_is_not_there_is_told_and_not_made(kafka: str, topic: str) -> None:
    for _ in range(2):
        with pytest.raises(Untrusted, match=f"there is no topic {topic}.ledger"):
            ledger_show(settings_for(kafka, topic), console=pipe())


def test_a_server_that_is_none_is_a_mistake_in_the_usage(kafka: str, topic: str) -> None:
    with pytest.raises(SettingsError, match="SERVER: not a Wolkvox server"):
        ledger_reset(settings_for(kafka, topic), "the-token", yes=True, console=pipe())


def test_export_has_every_entry_that_stands(here: Settings) -> None:
    asyncio.run(write(here, [tombstone(a_told("c").key)], partition=shard_of("0042", SHARDS)))
    assert exported(here) == keys(*entries("0042")[:1], *entries("0042")[2:], *entries("0043"))


def test_a_reset_forgets_one_server_wherever_it_is_and_no_other(here: Settings) -> None:
    # As a repartitioned topic would have it.
    asyncio.run(write(here, [a_told("lost")], partition=(shard_of("0042", SHARDS) + 1) % SHARDS))
    console = pipe()
    assert ledger_reset(here, "42", yes=True, console=console) == 0
    assert printed(console)[-1].startswith("5 entries of server 0042 are gone")
    assert exported(here) == [*keys(*entries("0043"))[:2], "owner/begun", *keys(*entries("0043"))[2:]]
    again = pipe()
    assert ledger_reset(here, "42", yes=True, console=again) == 0
    assert "nothing to reset" in printed(again)[-1]


def test_a_reset_says_what_it_costs_and_does_nothing_without_a_yes(here: Settings) -> None:
    asked = []

    def no(question: str) -> bool:
        asked.append(question)
        return False

    before, console = exported(here), terminal(80)
    assert ledger_reset(here, "0042", yes=False, console=console, confirm=no) == 1
    assert asked == ["Reset server 0042? [y/N] "]
    assert "published a second time" in " ".join(printed(console))
    assert exported(here) == before


def test_a_reset_asks_and_does_it_on_a_yes(here: Settings) -> None:
    assert ledger_reset(here, "0042", yes=False, console=pipe(), confirm=lambda _: True) == 0
    assert "cursor/0042" not in exported(here)


async def test_a_reset_is_refused_while_the_service_runs_and_names_who(here_async: Settings) -> None:
    consumer = AIOKafkaConsumer(
        f"{here_async.kafka.topic}.ledger",
        bootstrap_servers=here_async.kafka.bootstrap_servers,
        group_id=here_async.kafka.group_id,
        client_id="the-owner",
    )
    async with consumer:
        await consumer.getmany(timeout_ms=10)
        console = pipe()
        assert await asyncio.to_thread(ledger_reset, here_async, "0042", yes=True, console=console) == 1
    text = "\n".join(printed(console))
    assert "The service runs" in text
    assert "the-owner at 127.0.0.1" in text
    assert "cursor/0042" in await asyncio.to_thread(exported, here_async)


@pytest.mark.parametrize("beside", [0, 1])
async def test_a_reset_fences_an_owner_that_the_group_does_not_know_in_any_shard(
    here_async: Settings, beside: int
) -> None:
    name = f"{here_async.kafka.topic}.ledger"
    shard = (shard_of("0042", SHARDS) + beside) % SHARDS
    late = a_told("late")
    async with _owner(here_async, f"{name}-{shard}") as owner:
        await owner.begin_transaction()
        await owner.send_and_wait(name, key=late.key, value=late.value, partition=shard)
        # Straight: the command would first wait for the open transaction to end.
        connection = Connection(here_async.kafka, client_id="test")
        assert await reset_source(connection, "0042", clock=SystemClock()) == 4
        with pytest.raises(KafkaError):
            await owner.commit_transaction()
    assert late.key.decode() not in await asyncio.to_thread(exported, here_async)


def test_init_makes_a_ledger_that_was_deleted_and_says_what_that_costs(here: Settings) -> None:
    asyncio.run(_lose_ledger(here))
    console = pipe()
    assert ledger_init(here, console=console) == 0
    lines = printed(console)
    assert lines[0] == f"created {here.kafka.topic}.ledger"
    assert "again" in lines[1]
    assert exported(here) == ["owner/begun"]
    again = pipe()
    assert ledger_init(here, console=again) == 0
    assert "nothing to do" in printed(again)[0]


def test_tail_prints_whole_events_in_a_pipe_and_ends_where_the_topic_ends(here: Settings) -> None:
    asyncio.run(_publish(here, b'{"conn_id":"1.2","server":"0042","telephone":"573000001234"}'))
    console = pipe()
    assert tail(here, follow=False, console=console) == 0
    (line,) = printed(console)
    assert json.loads(line)["headers"] == {"ce_id": "0042/1.2"}
    assert json.loads(line)["value"]["telephone"] == "573000001234"


def test_tail_on_a_terminal_leaves_telephones_out_unless_asked(here: Settings) -> None:
    asyncio.run(_publish(here, b'{"conn_id":"1.2","server":"0042","telephone":"573000001234"}'))
    console = terminal(80)
    assert tail(here, follow=False, console=console) == 0
    assert "1.2" in "".join(printed(console))
    assert "573000001234" not in "".join(printed(console))
    assert tail(here, follow=False, show_personal=True, console=console) == 0
    assert "573000001234" in "".join(printed(console))


def test_tail_since_leaves_out_what_is_older(kafka: str, topic: str) -> None:
    here, old = settings_for(kafka, topic), 3_600_000
    # By the producer's clock, as a topic that somebody else made may be.
    asyncio.run(Admin(kafka).create(topic, 1, message_timestamp_type="CreateTime"))
    asyncio.run(_publish(here, b'{"conn_id":"old"}', ago_ms=old))
    asyncio.run(_publish(here, b'{"conn_id":"new"}'))
    console = pipe()
    assert tail(here, since=1800.0, follow=False, console=console) == 0
    assert [json.loads(line)["value"]["conn_id"] for line in printed(console)] == ["new"]


async def _publish(settings: Settings, value: bytes, *, ago_ms: int = 0) -> None:
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers) as producer:
        await producer.send_and_wait(
            settings.kafka.topic,
            key=b"1.2",
            value=value,
            headers=[("ce_id", b"0042/1.2")],
            timestamp_ms=int(time() * 1000) - ago_ms,
        )


async def _lose_ledger(settings: Settings) -> None:
    await _publish(settings, b"{}")
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap_servers)
    await admin.start()
    try:
        name = f"{settings.kafka.topic}.ledger"
        await admin.delete_topics([name])
        while name in await admin.list_topics():
            pass  # the controller forgets it before the broker does
    finally:
        await admin.close()


@pytest.fixture
async def here_async(kafka: str, topic: str) -> Settings:
    """As `here`, inside a loop."""
    settings = settings_for(kafka, topic)
    await _fill(settings)
    return settings


@asynccontextmanager
async def _owner(settings: Settings, transactional_id: str) -> AsyncIterator[AIOKafkaProducer]:
    owner = AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers, transactional_id=transactional_id)
    await owner.start()
    try:
        yield owner
    finally:
        await owner.stop()
