"""`recover` on a real Kafka: what is told once, beside an owner or without one, and what is not told at all."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from producer.core.ledger import Kind, Outcome, cursor_record, entry_records, gap_record, shard_of
from producer.demo.simulator.historical import Flaw
from producer.events import Events, Record
from producer.kafka.connection import Connection
from producer.kafka.topics import TopicSetup
from producer.model import Cursor, DeadRow, Gap, GapKind, OpenGap, Outgoing, Reason
from producer.settings import Settings, load
from tests.integration.service.admin import Admin
from tests.integration.service.audit import Audit
from tests.integration.service.instance import REPOSITORY
from tests.integration.service.stage import Stage
from tests.unit.core.samples import a_hit

pytestmark = pytest.mark.kafka

TAKING = "taking the shard's transactional id"
LIMIT = 1_000_000


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, its table by the first column, and all that it said."""

    code: int | None
    table: dict[str, int]
    said: str


@pytest.fixture
async def stage(kafka: str, topic: str) -> AsyncIterator[Stage]:
    """A call centre whose report reaches back no further than a few seconds, and topics that are there."""
    one = Stage(bootstrap=kafka, topic=topic, rate=4.0, window=8.0, late=0.0, typify_late=0.0)
    await one.simulator.open()
    try:
        await TopicSetup(Connection(settings_of(one).kafka, client_id="test")).look()
        yield one
    finally:
        await one.close()
    one.assert_discreet()


def settings_of(stage: Stage) -> Settings:
    return load(config=None, environ=stage.environment())


async def recover(stage: Stage, *arguments: str, kill_at: str = "", **settings: str) -> Ended:
    """Run a command to its end, or to the word at which it is killed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "producer", "recover", *arguments),
        stdout=PIPE,
        stderr=PIPE,
        env=stage.environment(**settings),
        cwd=REPOSITORY,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    said = list[str]()
    async with asyncio.timeout(90):
        async for line in process.stderr:
            said.append(line.decode())
            if kill_at and kill_at in said[-1]:
                with suppress(ProcessLookupError):
                    process.kill()
        printed = (await process.stdout.read()).decode()
        code = await process.wait()
    table = {
        what.strip(): int(count)
        for what, _, count in (line.rpartition("  ") for line in printed.splitlines())
        if count.isdigit()
    }
    stage.pages.append(printed + "".join(said))
    return Ended(code, table, printed + "".join(said))


async def put(stage: Stage, records: Iterable[Outgoing], *, partition: int | None = None) -> None:
    async with AIOKafkaProducer(bootstrap_servers=stage.bootstrap) as producer:
        for record in records:
            name = stage.topic + record.topic
            await producer.send_and_wait(
                name, key=record.key, value=record.value, headers=record.headers, partition=partition
            )


def recovered(found: Audit) -> dict[str, bytes | None]:
    """How each event's hit came to be known; None by the report."""
    return {record.key: record.headers.get("wolkvox_recovered") for record in found.hits}


def row(conn_id: str, **fields: Any) -> dict[str, Any]:
    return {"conn_id": conn_id, "date": "20260118201332", "telephone": "573000000001", "hit": "VENTA"} | fields


def outgoing(record: Record) -> Outgoing:
    return Outgoing(record.topic, record.key, record.value, record.headers)


def text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()


async def test_a_file_is_told_once_without_an_owner_and_the_second_time_not_at_all(
    stage: Stage, tmp_path: Path
) -> None:
    path = tmp_path / "hits.csv"
    lines = [f"1.{number};18/01/2026 20:13;VENTA" for number in range(300)]
    path.write_text("\n".join(["ID;Fecha;Resultado", *lines, ";18/01/2026;VENTA", "short"]), encoding="cp1252")
    columns = ("--map", "conn_id=ID", "--map", "date=Fecha", "--map", "hit=Resultado")

    dry = await recover(stage, "file", str(path), *columns, "--dry-run")
    assert (dry.code, dry.table["would be published"]) == (1, 300)
    killed = await recover(stage, "file", str(path), *columns, kill_at=TAKING)
    assert killed.code == -9
    assert not (await stage.audit()).hits

    first = await recover(stage, "file", str(path), *columns)
    assert "No rows: line 303" in first.said
    assert (first.code, first.table["published"], first.table["dead letters"]) == (1, 300, 1)
    second = await recover(stage, "file", str(path), *columns)
    assert (second.table["published"], second.table["told before"]) == (0, 300)

    found = await stage.audit()
    assert not found.duplicates
    assert set(recovered(found).values()) == {b"file"}
    assert len(found.dead_letters) == 1
    assert len(found.remembered) == 300


async def test_a_history_is_told_beside_an_owner_who_commits_every_second(stage: Stage) -> None:
    owner = await stage.start("owner", WOLKVOX_WINDOW="6s", POLL_TIMEOUT="2s", RECOVER_GAPS="off")
    began = (await owner.until("committed"), stage.clock.now().wall)[1]
    stage.simulator.fault = "http-503"
    await asyncio.sleep(15)
    stage.simulator.fault = None
    await owner.until("coverage_gap")
    lost = {hit.conn_id for hit in stage.simulator.never_shown if hit.occurred_at >= int(began)}
    assert len(lost) > 20
    span = ("--from", text(began), "--to", text(stage.clock.now().wall - 0.5))

    stage.simulator.fault = Flaw.OTHER_IDS
    other = await recover(stage, "history", *span)
    assert other.code == 1
    assert "does not agree" in other.said
    assert not any(recovered(await stage.audit()).values())
    assert (await recover(stage, "verify", *span)).code == 1
    stage.simulator.fault = None

    first = await recover(stage, "history", *span)
    assert first.code == 0, first.said
    assert first.table["published"] >= len(lost)
    second = await recover(stage, "history", *span)
    assert (second.code, second.table["published"]) == (0, 0)
    assert (await recover(stage, "verify", *span)).code == 0

    since = owner.mark()
    await owner.until("committed", since=since)
    stage.simulator.stop_calls()
    await stage.caught_up(owner)
    await owner.stop()
    found = await stage.audit()
    assert not found.duplicates
    assert found.ids == stage.simulator.shown | lost
    assert found.remembered == found.ids
    assert {key for key, how in recovered(found).items() if how == b"history"} >= lost


async def test_a_gap_that_waits_in_the_ledger_is_healed_by_the_history_of_its_time(stage: Stage) -> None:
    now = stage.clock.now().wall
    gaps = [Gap(stage.simulator.server, now - ago, now - ago + 30, GapKind.UNPOLLED, certain=True) for ago in (90, 500)]
    shard = shard_of(stage.simulator.server, 12)
    cursor = cursor_record(stage.simulator.server, Cursor(now, None))
    await put(stage, [cursor, *(gap_record(OpenGap(gap, text(now))) for gap in gaps)], partition=shard)

    span = ("--from", text(now - 95), "--to", text(now - 20))
    ended = await recover(stage, "history", *span, "--accept-unknown")

    assert (ended.code, ended.table.get("gaps healed")) == (0, 1), ended.said
    found = await stage.audit()
    [healed] = [record for record in found.gaps if record.headers["ce_type"] == b"wolkvox.gap-recovered"]
    assert healed.json["from"][:19] == text(gaps[0].start)[:19]
    assert 110 < healed.json["published"] < 240
    assert waiting(found) == {gap_record(OpenGap(gaps[1], "")).key.decode()}
    assert not found.duplicates
    again = await recover(stage, "history", *span, "--accept-unknown")
    assert (again.table["published"], again.table.get("gaps healed")) == (0, None)


def waiting(found: Audit) -> set[str]:
    """The keys of the gaps that wait to be healed."""
    last = {record.key: record.value for record in found.ledger if record.key.startswith("gap/")}
    return {key for key, value in last.items() if value is not None}


async def test_dead_letters_that_can_be_read_by_now_are_told_and_the_others_stay(stage: Stage) -> None:
    server, observed = stage.simulator.server, "2026-01-19T01:13:32.000000Z"
    events, trimmed = Events(server=server), {**row("cut"), "note": "x" * 2_000}

    def letter(number: int, sent: Any, reason: Reason, pointer: str = "", limit: int = LIMIT) -> Outgoing:
        dead = DeadRow(f"{number:032}", reason, pointer, sent)
        return outgoing(events.dead_letter(dead, observed_at=observed, limit=limit))

    await put(
        stage,
        [
            letter(1, row("1"), Reason.TOO_LARGE),
            letter(2, row("2"), Reason.SCHEMA),
            letter(3, trimmed, Reason.TOO_LARGE, limit=1_000),
            letter(4, row(""), Reason.CONN_ID_MISSING),
            letter(5, row("half\N{REPLACEMENT CHARACTER}"), Reason.NOT_ENCODABLE, "/conn_id"),
        ],
    )
    done = entry_records(
        Kind.TOLD,
        server,
        ["1", "2"],
        outcome=Outcome.DEAD_LETTERED,
        observed_at=observed,
        limit=LIMIT,
        digests=b"\0" * 8,
    )
    cursor = cursor_record(server, Cursor(stage.clock.now().wall, None))
    await put(stage, [cursor, *(record for _, record in done)], partition=shard_of(server, 12))

    large = await recover(stage, "dead-letters", "--reason", "too_large")
    assert (large.code, large.table["rows read"], large.table["published"]) == (0, 2, 1), large.said
    rest = await recover(stage, "dead-letters", "--since", "1h")
    assert (rest.table["rows read"], rest.table["published"], rest.table["told before"]) == (5, 1, 1)
    assert (await recover(stage, "dead-letters")).table["published"] == 0

    found = await stage.audit()
    assert recovered(found) == {"1": b"dead-letter", "2": b"dead-letter"}
    assert len(found.dead_letters) == 5


@pytest.mark.parametrize("method", ["file", "dead-letters"])
async def test_what_was_told_is_found_whatever_the_row_says_of_its_date(
    stage: Stage, tmp_path: Path, method: str
) -> None:
    server, observed, path = stage.simulator.server, "2026-01-19T01:13:32.000000Z", tmp_path / "hits.json"
    events, late = Events(server=server), row("1", date="20991201200000")  # 12 January, its month read first
    told = events.hit(a_hit("1") | {"server": server}, limit=LIMIT)
    letter = events.dead_letter(DeadRow("1" * 32, Reason.SCHEMA, "", late), observed_at=observed, limit=LIMIT)
    assert isinstance(told, Record)
    await put(stage, [outgoing(told), outgoing(letter)])
    await put(stage, [cursor_record(server, Cursor(stage.clock.now().wall, None))], partition=shard_of(server, 12))
    path.write_text(json.dumps(late))

    ended = await recover(stage, method, *([str(path)] if method == "file" else []))

    assert (ended.code, ended.table["told before"], ended.table["published"]) == (0, 1, 0), ended.said
    assert len((await stage.audit()).hits) == 1


async def test_what_is_older_than_the_topic_is_told_only_if_somebody_accepts_it(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "hits.json"
    path.write_text("\n".join(json.dumps(row(str(number))) for number in range(5)))
    assert (await recover(stage, "file", str(path))).table["published"] == 5
    await Admin(stage.bootstrap).empty(stage.topic)
    path.write_text("\n".join(json.dumps(row(str(number), date=None)) for number in range(5, 8)))

    refused = await recover(stage, "file", str(path))
    assert (refused.code, refused.table["older than the topic"], refused.table["published"]) == (1, 3, 0)
    assert "--accept-unknown" in refused.said
    accepted = await recover(stage, "file", str(path), "--accept-unknown")
    assert (accepted.code, accepted.table["published"]) == (0, 3)


async def test_a_topic_that_is_not_there_is_told_and_not_made(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "hits.json"
    path.write_text(json.dumps(row("1")))
    ended = await recover(stage, "file", str(path), KAFKA_TOPIC=f"{stage.topic}.typo")
    assert ended.code == 1
    assert f"there is no topic {stage.topic}.typo.ledger" in ended.said
