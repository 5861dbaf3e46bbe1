"""What docs/consuming.md asks of a consumer, held by each of the examples."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event

from producer.frame import unframed
from tests.integration.consumers.examples import COMMISSIONS, FILES, Place, example, prepare
from tests.integration.consumers.groups import Offsets, behind, committed, ends, make_topic, take_over, until_committed
from tests.integration.consumers.running import Running, running
from tests.integration.consumers.stream import PARTITIONS, POISON, Stream, make_stream
from tests.integration.service.audit import Record, read

T = TypeVar("T")
KEEPS_ITS_WORK = {"aiokafka", "confluent-kafka"}
"""These have a database; the others a set that stands for one and dies with the process."""


COMMITS_BY_RECORD = {"confluent-kafka", "kafkajs"}
"""The offset behind the record that was worked on; the others commit where they are, perhaps behind a marker."""


@dataclass(frozen=True, slots=True)
class Run:
    """A consumer that was killed in the middle of its work, and the next one, which read to the end."""

    name: str
    killed: Running
    offsets: Offsets
    """What the killed one had committed."""
    following: Running
    lag: Offsets
    """What is left of it by the brokers' count, once all was worked on."""
    dead_letters: Sequence[Record]


@pytest.fixture(scope="module")
def stream(kafka: str) -> Stream:
    """One stream for all consumers."""
    return _result(make_stream(kafka, f"t-{uuid4().hex[:12]}.hits"))


@pytest.fixture(scope="module")
def records(stream: Stream) -> Sequence[Record]:
    """What is committed on it."""
    return _result(read(stream.bootstrap, stream.topic))


@pytest.fixture(scope="module")
def runs(
    stream: Stream, records: Sequence[Record], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Future[Run]]:
    """All of them, side by side: most of their time they wait."""
    with ThreadPoolExecutor(len(COMMISSIONS)) as threads:
        folders = {name: tmp_path_factory.mktemp(name) for name in COMMISSIONS}
        return {name: threads.submit(_run, name, stream, records, folder) for name, folder in folders.items()}


@pytest.fixture(params=COMMISSIONS)
def run(request: pytest.FixtureRequest, runs: Mapping[str, Future[Run]]) -> Run:
    """One of them; skips where its toolchain is absent."""
    return runs[request.param].result()


def _run(name: str, stream: Stream, records: Sequence[Record], folder: Path) -> Run:
    """One of them, from its file's text to its last commit."""
    # Two groups: a killed member keeps its own busy for its session timeout. The second starts at its offsets.
    first, second = (Place(stream.bootstrap, stream.topic, f"{name}-{uuid4().hex[:6]}") for _ in range(2))
    with _started(name, first, folder) as killed:
        killed.kill_when_stuck()
    offsets = committed(first, partitions=PARTITIONS)
    take_over(second, offsets)
    with _started(name, second, folder) as following:
        following.until_seen(set(stream.last.values()) - killed.seen)
        until_committed(second, behind(records))
        done = committed(second, partitions=PARTITIONS)
        lag = {number: end - done[number] for number, end in ends(second, partitions=PARTITIONS).items()}
    letters = [letter for one in (first, second) for letter in _result(read(one.bootstrap, one.dead_letters))]
    return Run(name, killed, offsets, following, lag, letters)


def _started(name: str, place: Place, folder: Path) -> AbstractContextManager[Running]:
    make_topic(place.bootstrap, place.dead_letters)
    return running(prepare(name, place.put_into(example(name)), folder), folder)


def _result(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine gives, in an event loop that is none of the tests'."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def _ce_id(record: Record) -> str:
    return record.headers["ce_id"].decode()


@pytest.mark.parametrize("name", FILES)
def test_an_example_has_less_than_forty_lines(name: str) -> None:
    code = [line for line in example(name).splitlines() if line and not line.startswith(("//", '"""'))]
    assert len(code) < 40


@pytest.mark.kafka
def test_the_stream_has_what_a_consumer_must_stand(stream: Stream, records: Sequence[Record]) -> None:
    dirty = _result(read(stream.bootstrap, stream.topic, isolation="read_uncommitted"))
    assert stream.aborted <= {_ce_id(record) for record in dirty if record.headers}
    times = Counter(_ce_id(record) for record in records if not record.key.startswith("poison"))
    assert set(times) == stream.hits | stream.empty
    assert stream.empty
    assert {ce_id for ce_id, count in times.items() if count == 2} == stream.repeated != frozenset()


@pytest.mark.kafka
def test_every_committed_hit_and_nothing_else_is_worked_on(run: Run, stream: Stream) -> None:
    """Framed by a schema registry or not; a row whose `hit` is empty is none yet."""
    assert run.killed.seen | run.following.seen == stream.hits


@pytest.mark.kafka
def test_a_hit_that_comes_again_is_not_worked_on_again(run: Run, stream: Stream) -> None:
    assert max(Counter(run.following.done).values()) == 1
    # What stands for a table in the other two begins anew with the process.
    known = stream.repeated if run.name in KEEPS_ITS_WORK else stream.repeated - run.killed.seen
    assert known
    assert known <= {*run.killed.done_before, *run.following.done_before}


@pytest.mark.kafka
def test_work_that_was_kept_is_not_done_again_after_a_crash(run: Run) -> None:
    if run.name in KEEPS_ITS_WORK:
        assert not set(run.killed.done) & set(run.following.done)


@pytest.mark.kafka
def test_no_offset_is_committed_before_its_work_is_done(run: Run, records: Sequence[Record], stream: Stream) -> None:
    passed = {_ce_id(one) for one in records if one.offset < run.offsets[one.partition] and one.headers} & stream.hits
    assert passed <= run.killed.seen
    assert run.killed.seen < stream.hits  # it was in the middle


@pytest.mark.kafka
def test_the_lag_of_who_has_done_all_need_not_be_nought(run: Run) -> None:
    """The end of a transaction is a record of its own, which no consumer is given."""
    left = set(run.lag.values())
    assert left == {1} if run.name in COMMITS_BY_RECORD else left <= {0, 1}


@pytest.mark.kafka
def test_a_record_that_cant_be_read_goes_to_the_consumers_own_dead_letters(run: Run) -> None:
    reasons = [letter.headers["reason"] for letter in run.dead_letters]
    assert all(reasons)
    found = {
        (
            letter.key.encode(),
            letter.value,
            tuple(sorted((name, text) for name, text in letter.headers.items() if name != "reason")),
        )
        for letter in run.dead_letters
    }
    assert found == {(key, value, tuple(sorted(headers.items()))) for key, value, headers in POISON}


@pytest.mark.kafka
def test_the_official_sdk_reads_every_hit_as_a_cloudevent(records: Sequence[Record], stream: Stream) -> None:
    sent = [record for record in records if not record.key.startswith("poison")]
    ours = [{name: text for name, text in one.headers.items() if name != "trace"} for one in sent]  # it decodes all
    events = [
        from_kafka_event(KafkaMessage(headers=headers, key=one.key, value=unframed(one.value or b"")))
        for headers, one in zip(ours, sent, strict=True)
    ]
    assert {event.get_id() for event in events} == stream.hits | stream.empty
    assert {event.get_type() for event in events} == {"wolkvox.hit"}
    assert all(event.get_subject() == record.key for event, record in zip(events, sent, strict=True))
    assert all(event.get_data() == record.json for event, record in zip(events, sent, strict=True))
