"""A commission for each hit, once. To run it: pip install confluent-kafka; python confluent_kafka_consumer.py"""

from __future__ import annotations

import json
import sqlite3

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer

BROKERS = {"bootstrap.servers": "localhost:9092"}
GROUP = {"group.id": "commissions", "enable.auto.commit": False, "auto.offset.reset": "earliest"}


def decode(message: Message[bytes, bytes]) -> tuple[str, str | None]:
    headers = dict(message.headers() or [])
    ce_id = headers["ce_id"]
    if headers["ce_type"] != b"wolkvox.hit" or not isinstance(ce_id, bytes):
        raise ValueError("not a hit")
    return ce_id.decode(), json.loads(message.value() or b"")["hit"]


def delivered(error: KafkaError | None, _message: Message[bytes, bytes]) -> None:
    if error:
        raise KafkaException(error)


consumer = Consumer({**BROKERS, **GROUP, "isolation.level": "read_committed"})
dead_letters = Producer(BROKERS)
database = sqlite3.connect("commissions.db")
database.execute("CREATE TABLE IF NOT EXISTS commission (ce_id TEXT PRIMARY KEY, hit TEXT)")
consumer.subscribe(["wolkvox.hits"])
while True:
    message = consumer.poll(1.0)
    if message is None:
        continue
    if failure := message.error():
        raise KafkaException(failure)
    try:
        event = decode(message)
    except (KeyError, TypeError, ValueError) as error:
        headers = [*(message.headers() or []), ("reason", type(error).__name__)]
        dead_letters.produce(
            "commissions.dead-letter", message.value(), message.key(), headers=headers, on_delivery=delivered
        )
        dead_letters.flush()
    else:
        with database:  # your work: here the primary key sees to it that it is done once
            done = database.execute("INSERT OR IGNORE INTO commission VALUES (?, ?)", event).rowcount
        print(event[0], "done" if done else "was done before", flush=True)
    consumer.commit(message=message, asynchronous=False)
