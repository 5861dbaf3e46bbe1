"""Consumers that keep the last word, in three languages, on one stream: all end with the table that is true.

Once with a service that knows no schema registry, once with one that finds it when half of the stream is told.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from tests.integration.consumers.examples import LAST_WORDS, Place, example, prepare
from tests.integration.consumers.running import Table, started
from tests.integration.consumers.stream import OTHER, PARTITIONS, POISON, Others, Written
from tests.integration.service.audit import Audit, Record, read
from tests.integration.service.stage import Stage
from tests.integration.service.test_events import calls_of

pytestmark = pytest.mark.kafka

Words = Mapping[tuple[str, str], str | None]
KILLS = 2
UNDONE, LATER = "UNDONE", "2099-01-01T00:00:00.000000Z"
"""What a hit says in transactions that are aborted, and when that would have been observed."""


LAST = ("hits", "changes")
"""The names of the hits at the ends of both topics."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The two topics, and what each hit said last by the call centre's own books."""

    place: Place
    words: Words


async def make_stream(bootstrap: str, topic: str, registry: str | None) -> Stream:
    """A service that is killed again and again while hits change, and in its last life has a registry, if there is one;
    then other producers."""
    stage = Stage(bootstrap=bootstrap, topic=topic, typify_late=0.6)
    await stage.simulator.open()
    try:
        for number in range(KILLS):
            life = await stage.start(f"life {number}", KAFKA_GROUP_INSTANCE_ID="one")
            await life.until("committed", where=lambda line: bool(line["changes"]))
            await life.kill()
        last = await stage.start("the last", KAFKA_GROUP_INSTANCE_ID="one", REGISTRY_URL=registry)
        await last.until("committed", where=lambda line: bool(line["changes"]))
        await stage.caught_up(last)
        await last.stop()
        found = await stage.assert_exactly_once()
        words = {(stage.simulator.server, call.conn_id): call.row["hit"] for call in calls_of(stage)}
        words |= {(stage.simulator.server, conn_id): said[-1] for conn_id, said in stage.simulator.said.items()}
        true = {key: words[key] for key in words if key[1] in stage.simulator.shown}
    finally:
        await stage.close()
    await asyncio.to_thread(_write_more, bootstrap, topic, found)
    return Stream(Place(bootstrap, topic, "no group"), true)


def _write_more(bootstrap: str, topic: str, found: Audit) -> None:
    """What else a topic may hold: undone records, such as nobody can read, and some again, long overtaken."""
    for name, last, records in ((topic, LAST[0], found.hits), (f"{topic}.changes", LAST[1], found.changes)):
        others = Others(bootstrap, name)
        others.abort(_undone(records[:60]))
        others.write(POISON)
        others.write((record.key.encode(), record.value, record.headers) for record in records[::5])
        others.finish(last)


def _undone(records: Sequence[Record]) -> Iterator[Written]:
    """What hits would say last, by transactions that are aborted."""
    for record in records:
        yield record.key.encode(), orjson.dumps(record.json | {"hit": UNDONE, "observed_at": LATER}), record.headers


@pytest.fixture(scope="module", params=["plain", "registry"])
def stream(request: pytest.FixtureRequest, kafka: str) -> Stream:
    """One stream for all three; with a registry it has values of both forms."""
    registry = request.getfixturevalue("registry") if request.param == "registry" else None
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, make_stream(kafka, f"t-{uuid4().hex[:12]}.hits", registry)).result()


@pytest.fixture(scope="module")
def tables(stream: Stream, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Future[Words]]:
    """What each has in its table once it has read all; side by side, since most of their time they start."""
    with ThreadPoolExecutor(len(LAST_WORDS)) as threads:
        return {name: threads.submit(_table, name, stream, tmp_path_factory.mktemp("last")) for name in LAST_WORDS}


def _table(name: str, stream: Stream, folder: Path) -> Words:
    ends = {(OTHER, f"{last}.{partition}") for last in LAST for partition in range(PARTITIONS)}
    with started(prepare(name, stream.place.put_into(example(name)), folder), folder, Table) as consumer:
        consumer.until(lambda hits: ends <= hits.keys())
        return {key: hit for key, hit in consumer.hits.items() if key not in ends}


@pytest.mark.parametrize("name", LAST_WORDS)
def test_whoever_read_both_topics_has_the_table_that_is_true(
    name: str, tables: Mapping[str, Future[Words]], stream: Stream
) -> None:
    assert tables[name].result() == stream.words


async def test_the_stream_has_what_such_a_consumer_must_stand(stream: Stream, request: pytest.FixtureRequest) -> None:
    """Words that would be the last ones and are undone, events that come again, and with a registry both forms."""
    forms = {False, True} if "registry" in request.node.name else {False}
    for topic in (stream.place.topic, f"{stream.place.topic}.changes"):
        dirty = await read(stream.place.bootstrap, topic, isolation="read_uncommitted")
        assert any(UNDONE.encode() in (record.value or b"") for record in dirty)
        told = [one for one in await read(stream.place.bootstrap, topic) if not one.key.startswith("poison")]
        assert set(Counter(record.headers["ce_id"] for record in told).values()) == {1, 2}
        assert {(record.value or b"").startswith(b"\0") for record in told} == forms
