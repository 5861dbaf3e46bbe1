"""Records into batches: what a broker would read out of them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.record.memory_records import MemoryRecords

from producer.kafka.batch import CODECS, Batch
from producer.kafka.batches import Batches, partition_of
from producer.kafka.topics import Topics
from producer.model import Outgoing, Series, Topic, each

SHARD, TIMESTAMP, HEADERS = 3, 1_768_782_812_000, [("ce_id", b"0042/a"), ("ce_type", b"wolkvox.hit")]
COUNTS = {Topic.HITS: 4, Topic.CHANGES: 4, Topic.DEAD_LETTER: 1, Topic.COVERAGE: 1, Topic.LEDGER: 12}


class Sending:
    """A producer that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: dict[tuple[str, int], list[Batch]] = defaultdict(list)

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> asyncio.Future[Any]:
        self.sent[topic, partition].append(batch)
        done = asyncio.get_running_loop().create_future()
        done.set_result(SimpleNamespace(topic=topic, offset=len(self.sent[topic, partition])))
        return done


def read(batch: Batch) -> list[Any]:
    batch._set_producer_state(1, 0, 0)
    size, pieces = batch._build()
    assert size == sum(map(len, pieces))
    found = MemoryRecords(b"".join(pieces))
    records = []
    while found.has_next():
        one = found.next_batch()
        assert one.validate_crc()
        records += list(one)
    return records


async def sent(records: Sequence[Outgoing | Series], *, room: int = 100_000, compression: str = "none") -> Sending:
    """What a producer is given; `room` is the size of its batches in bytes."""
    producer = Sending()
    topics = Topics(base="t", partitions=COUNTS, max_message_bytes=room)
    batches = Batches(producer, topics, shard=SHARD, timestamp=TIMESTAMP, compression=compression)
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


@pytest.mark.parametrize("room", [100_000, 2_000, 300])
async def test_a_series_is_as_its_records_would_be_in_batches_no_larger_than_they_may_be(room: int) -> None:
    numbers = range(500)
    keys, values = [b"id%d" % number for number in numbers], [b'{"n":%d}' % number for number in numbers]
    series = Series(Topic.HITS, keys, values, HEADERS[1:], [("ce_id", b"0042/"), ("ce_subject", b"")])
    mixed: list[Outgoing | Series] = [a_hit(600), series, a_hit(601), series._replace(headers=[])]
    producer, one_by_one = await sent(mixed, room=room), await sent(list(each(mixed)), room=room)
    assert held(producer) == held(one_by_one)
    for batches in producer.sent.values():
        assert all(batch.record_count() == len(read(batch)) for batch in batches)
        assert all(len(batch._build()) <= room for batch in batches)


@pytest.mark.parametrize("compression", CODECS)
async def test_a_batch_of_each_compression_is_read_back(compression: str) -> None:
    hits = [a_hit(number) for number in range(200)]
    producer = await sent(hits, compression=compression)
    assert sorted(key for records in held(producer).values() for key, *_ in records) == sorted(hit.key for hit in hits)
    if compression != "none":
        assert all(len(batch._build()) < batch.size for batches in producer.sent.values() for batch in batches)


def held(producer: Sending) -> dict[tuple[str, int], list[Any]]:
    """The records of each partition, in their order."""
    return {
        where: [(one.key, one.value, one.headers, one.timestamp) for batch in batches for one in read(batch)]
        for where, batches in producer.sent.items()
    }
