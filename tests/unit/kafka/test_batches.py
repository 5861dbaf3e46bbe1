"""Records into batches: what a broker would read out of them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from producer.kafka.batches import Batches, partition_of
from producer.kafka.topics import Topics
from producer.model import Outgoing, Topic

SHARD, TIMESTAMP, HEADERS = 3, 1_768_782_812_000, [("ce_id", b"0042/a"), ("ce_type", b"wolkvox.hit")]
COUNTS = {Topic.HITS: 4, Topic.CHANGES: 4, Topic.DEAD_LETTER: 1, Topic.COVERAGE: 1, Topic.LEDGER: 12}


class Sending:
    """A producer that keeps what it is given; `room` is the size of its batches in bytes."""

    def __init__(self, room: int) -> None:
        self.sent: dict[tuple[str, int], list[BatchBuilder]] = defaultdict(list)
        self._room = room

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(self._room, 0, is_transactional=1)

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> asyncio.Future[Any]:
        self.sent[topic, partition].append(batch)
        done = asyncio.get_running_loop().create_future()
        done.set_result(SimpleNamespace(topic=topic, offset=len(self.sent[topic, partition])))
        return done


def read(batch: BatchBuilder) -> list[Any]:
    batch._set_producer_state(1, 0, 0)
    found = MemoryRecords(bytes(batch._build()))
    records = []
    while found.has_next():
        one = found.next_batch()
        assert one.validate_crc()
        records += list(one)
    return records


async def sent(records: list[Outgoing], *, room: int = 100_000) -> Sending:
    producer = Sending(room)
    topics = Topics(base="t", partitions=COUNTS, max_message_bytes=room)
    batches = Batches(producer, topics, shard=SHARD, timestamp=TIMESTAMP)
    await batches.add(iter(records))
    await batches.delivered()
    return producer


def a_hit(number: int) -> Outgoing:
    return Outgoing(Topic.HITS, b"id%d" % number, b'{"n":%d}' % number, HEADERS)


@pytest.mark.parametrize("room", [100_000, 300])
async def test_each_record_is_in_the_partition_of_its_key_as_it_was(room: int) -> None:
    hits = [a_hit(number) for number in range(100)]
    producer = await sent(hits, room=room)
    found = {
        (partition, record.key): record
        for (_, partition), batches in producer.sent.items()
        for batch in batches
        for record in read(batch)
    }
    assert found.keys() == {(partition_of(hit.key, COUNTS[Topic.HITS]), hit.key) for hit in hits}
    assert {record.value for record in found.values()} == {hit.value for hit in hits}
    assert all((record.headers, record.timestamp) == (HEADERS, TIMESTAMP) for record in found.values())


async def test_a_full_batch_is_followed_by_another_and_each_knows_how_many_it_holds() -> None:
    producer = await sent([Outgoing(Topic.LEDGER, b"k%d" % number, None, []) for number in range(100)], room=300)
    [(where, batches)] = producer.sent.items()
    assert where == ("t.ledger", SHARD)
    assert len(batches) > 2
    # aiokafka takes the next batch's sequence number from it: the broker refuses one that does not follow.
    assert [batch.record_count() for batch in batches] == [len(read(batch)) for batch in batches]
    assert sum(batch.record_count() for batch in batches) == 100


async def test_a_record_larger_than_a_batch_goes_alone() -> None:
    large = Outgoing(Topic.HITS, b"id0", b"x" * 1000, HEADERS)
    producer = await sent([large, large, a_hit(0)], room=300)
    [batches] = producer.sent.values()
    assert [batch.record_count() for batch in batches] == [1, 1, 1]


async def test_topics_may_come_in_any_order() -> None:
    mixed = [a_hit(0), Outgoing(Topic.LEDGER, b"l", b"v", []), Outgoing(Topic.COVERAGE, b"c", b"v", []), a_hit(1)]
    producer = await sent([*mixed, *mixed])
    held = sorted(record.key for batches in producer.sent.values() for batch in batches for record in read(batch))
    assert held == sorted(record.key for record in [*mixed, *mixed])
