"""The batches that we write ourselves, on a real broker and read by librdkafka, which shares no code with us.

What they rest on in aiokafka is private there: which names it asks of a batch, and how a request becomes what it writes
to its connection. A version of it in which that is otherwise fails here.
"""

from __future__ import annotations

from time import time
from typing import get_args

import pytest

from producer.core.ledger import NO_HEADERS
from producer.kafka.batches import partition_of
from producer.model import Outgoing, Series, Topic, each
from tests.contracts.worlds import Codec, KafkaWorld
from tests.integration.service.audit import read
from tests.twins.manual_clock import ManualClock

pytestmark = pytest.mark.kafka

ROWS = 3_000
"""A megabyte: each partition's part is more than a batch."""


def a_series(first: int) -> Series:
    numbers = range(first, first + ROWS)
    headers, keyed = [("ce_type", b"wolkvox.hit"), ("ce_time", b"now")], [("ce_id", b"0042/"), ("ce_subject", b"")]
    keys = [b"%d.%d" % (number, number**3) for number in numbers]
    return Series(Topic.HITS, keys, [b'{"n":"%b"}' % (key * 40) for key in keys], headers, keyed)


@pytest.mark.parametrize("days", [-30, 30])
async def test_a_wrong_clock_of_ours_fails_no_commit(kafka: str, topic: str, days: int) -> None:
    """From Kafka 4.0 on a record an hour ahead of the broker's clock is refused, where its topic keeps our dates."""
    world = KafkaWorld(kafka, topic, clock=ManualClock(wall=time() + days * 86_400))
    await world.open()
    try:
        store = world.store(0)
        await store.take()
        await store.commit([a_series(0), Outgoing(Topic.LEDGER, b"owner/x", b"{}", NO_HEADERS)])
        assert len(await world.read(Topic.HITS)) == ROWS
    finally:
        await world.close()


@pytest.mark.parametrize("compression", get_args(Codec))
async def test_what_is_written_is_read_by_another_client_each_once_and_in_order(
    kafka: str, topic: str, compression: Codec
) -> None:
    world = KafkaWorld(kafka, topic, compression=compression)
    await world.open()
    store, single = world.store(0), Outgoing(Topic.HITS, b"single", None, [("h", b"")])
    everything: list[Outgoing | Series] = [
        a_series(0),
        single,
        Outgoing(Topic.LEDGER, b"owner/x", b"{}", NO_HEADERS),
        a_series(ROWS),
        single,
    ]
    try:
        await store.take()
        for some in (everything[:3], everything[3:]):  # a sequence number that did not follow would be refused
            await store.commit(some)
    finally:
        await world.close()
    found = await read(kafka, topic)
    sent = [one for one in each(everything) if one.topic is Topic.HITS]
    assert len(found) == len(sent)
    for number in range(12):
        theirs = [one for one in sent if partition_of(one.key, 12) == number]
        there = [one for one in found if one.partition == number]
        assert [(one.key.encode(), one.value) for one in there] == [(one.key, one.value) for one in theirs]
        assert [one.headers for one in there] == [dict(one.headers) for one in theirs]
