"""What a consumer has on Kafka besides its hits: its group's offsets, and its topic for dead letters."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.integration.consumers.examples import Place
from tests.integration.consumers.running import PATIENCE
from tests.integration.service.audit import Record

Offsets = Mapping[int, int]
"""By partition; the offset of the next record to read, below nought if there is none."""


def make_topic(bootstrap: str, topic: str) -> None:
    """A topic with one partition."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(PATIENCE)


def committed(place: Place, *, partitions: int) -> Offsets:
    """The group's offsets as of now."""
    where = [TopicPartition(place.topic, number) for number in range(partitions)]
    consumer = _consumer(place)
    try:
        return {one.partition: one.offset for one in consumer.committed(where, timeout=PATIENCE)}
    finally:
        consumer.close()


def ends(place: Place, *, partitions: int) -> Offsets:
    """Where the topic ends, which is what a lag is counted from."""
    consumer = _consumer(place)
    try:
        return {
            number: consumer.get_watermark_offsets(TopicPartition(place.topic, number), timeout=PATIENCE)[1]
            for number in range(partitions)
        }
    finally:
        consumer.close()


def until_committed(place: Place, wanted: Offsets) -> None:
    """Wait until the group has committed these offsets, or later ones."""
    deadline = time.monotonic() + PATIENCE
    while any((now := committed(place, partitions=len(wanted)))[one] < wanted[one] for one in wanted):
        assert time.monotonic() < deadline, f"committed {now}, wanted {wanted}"


def take_over(place: Place, offsets: Offsets) -> None:
    """Give a group that has no member yet the offsets of another one."""
    wanted = [TopicPartition(place.topic, number, offset) for number, offset in offsets.items() if offset >= 0]
    consumer = _consumer(place)
    try:
        if wanted:
            consumer.commit(offsets=wanted, asynchronous=False)
    finally:
        consumer.close()


def behind(records: Iterable[Record]) -> Offsets:
    """The offset behind the last record of each partition."""
    return {record.partition: record.offset + 1 for record in sorted(records, key=lambda record: record.offset)}


def _consumer(place: Place) -> Consumer:
    return Consumer({"bootstrap.servers": place.bootstrap, "group.id": place.group, "enable.auto.commit": False})
