"""A commission for each hit, once. To run it: pip install confluent-kafka; python confluent_kafka_consumer.py"""

from __future__ import annotations

import json
import sqlite3

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer

BROKERS = {"bootstrap.servers": "localhost:9092"}
GROUP = {"group.id": "commissions", "enable.auto.commit": False, "auto.offset.reset": "earliest"}


def decode(message: Message[bytes, bytes]) -> tuple[str, str | None]:
    given = dict(message.headers() or [])
    headers = {name: text.decode() for name in ("ce_id", "ce_dataschema") if isinstance(text := given.get(name), bytes)}
    if not headers["ce_dataschema"].startswith("urn:wolkvox-hits:schema:hit:1."):
        raise ValueError("not a hit, or of another major version")
    value = message.value() or b""
    value = value[5:] if value[:1] == b"\0" else value  # without a schema registry's frame
    return headers["ce_id"], json.loads(value)["hit"]


def sent(error: KafkaError | None, _message: Message[bytes, bytes]) -> None:
    if error:
        raise KafkaException(error)


consumer = Consumer({**BROKERS, **GROUP, "isolation.level": "read_committed"})
letters = Producer(BROKERS)
database = sqlite3.connect("commissions.db")
database.execute("CREATE TABLE IF NOT EXISTS commission (ce_id TEXT PRIMARY KEY, hit TEXT)")
consumer.subscribe(["wolkvox.hits"])
while True:
    if (message := consumer.poll(1.0)) is None:
        continue
    if failure := message.error():
        raise KafkaException(failure)
    try:
        event = decode(message)
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        headers = [*(message.headers() or []), ("reason", type(error).__name__)]
        letters.produce("commissions.dead-letter", message.value(), message.key(), headers=headers, on_delivery=sent)
        letters.flush()
    else:
        if event[1]:  # else it is no achievement, or not yet
            with database:  # your work: here the primary key sees to it that it is done once
                done = database.execute("INSERT OR IGNORE INTO commission VALUES (?, ?)", event).rowcount
            print(event[0], "done" if done else "was done before", flush=True)
    consumer.commit(message=message, asynchronous=False)
