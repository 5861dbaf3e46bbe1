"""The example that keeps the last word of each hit, whatever order the two topics are read in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from producer.clock import rfc3339
from producer.events import Events, Record
from producer.model import Hit, HitChanged
from tests.integration.consumers.examples import Place, example, prepare
from tests.integration.consumers.groups import make_topic
from tests.integration.consumers.running import running

pytestmark = pytest.mark.kafka

T = 1_768_785_240.0
STORY: Mapping[tuple[str, str], tuple[str | None, ...]] = {
    ("0042", "stays"): ("SALE",),
    ("0042", "typified-late"): ("", "SALE"),
    ("0042", "corrected-twice"): ("SALE", "PROMISE", "SALE"),
    ("0042", "taken-back"): ("SALE", None),
    ("0043", "taken-back"): ("SALE", "PROMISE"),
}
"""Each hit by server and id: what its event said, and what each of its changes did, a minute apart."""


def test_what_was_observed_last_is_kept_in_whatever_order_it_comes(kafka: str, tmp_path: Path) -> None:
    place = Place(kafka, f"t-{uuid4().hex[:12]}.hits", f"last-word-{uuid4().hex[:6]}")
    changes = f"{place.topic}.changes"
    for topic in (place.topic, changes, place.dead_letters):
        make_topic(kafka, topic)
    with running(prepare("last-word", place.put_into(example("last-word")), tmp_path), tmp_path) as consumer:
        *told, last = _changes()
        consumer.until_seen(_written(kafka, changes, told))
        consumer.until_seen(_written(kafka, place.topic, _hits()))
        # An old one once more, as after a lost offset; whoever has seen the new one behind it has seen it.
        old = next(record for record in told if record.key == b"corrected-twice")
        consumer.until_seen(_written(kafka, changes, [old, last]))
    assert _kept(tmp_path) == {which: said[-1] for which, said in STORY.items()}


def _hits() -> list[Record]:
    return [_sent(Events(server=server).hit(_hit(server, conn_id, 0), limit=100_000)) for server, conn_id in STORY]


def _changes() -> list[Record]:
    records = []
    for (server, conn_id), said in STORY.items():
        for number in range(1, len(said)):
            changed: HitChanged = {**_hit(server, conn_id, number), "first_observed_at": rfc3339(T)}
            records.append(_sent(Events(server=server).change(changed, limit=100_000)))
    return records


def _hit(server: str, conn_id: str, number: int) -> Hit:
    return Hit(
        conn_id=conn_id,
        server=server,
        type_interaction="inbound",
        date="20260118201332",
        telephone=None,
        customer_id=None,
        hit=STORY[server, conn_id][number],
        occurred_at="2026-01-18T20:13:32-05:00",
        observed_at=rfc3339(T + 60 * number),
    )


def _sent(record: object) -> Record:
    assert isinstance(record, Record)
    return record


def _written(kafka: str, topic: str, records: Iterable[Record]) -> set[str]:
    """Writes them; their ce_ids."""
    producer, ce_ids = Producer({"bootstrap.servers": kafka}), set()
    for record in records:
        producer.produce(topic, record.value, record.key, headers=dict(record.headers))
        ce_ids.add(dict(record.headers)["ce_id"].decode())
    assert producer.flush() == 0
    return ce_ids


def _kept(folder: Path) -> Mapping[tuple[str, str], str | None]:
    database = sqlite3.connect(folder / "last-words.db")
    try:
        return {
            (server, conn_id): hit
            for server, conn_id, hit in database.execute("SELECT server, conn_id, hit FROM last_word")
        }
    finally:
        database.close()
