"""The last word on each hit. To run it, with this package installed: python last_word_consumer.py"""

import asyncio
import sqlite3

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from producer.events import HitChangedEvent, HitEvent, NotAHit

TABLE = "CREATE TABLE IF NOT EXISTS last_word (server, conn_id, hit, observed, PRIMARY KEY (server, conn_id))"
# The two topics are read side by side, so a change may come before its hit: what was observed later is the last word.
KEEP = """INSERT INTO last_word VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
SET hit = excluded.hit, observed = excluded.observed WHERE excluded.observed > observed"""


async def main() -> None:
    database = sqlite3.connect("last-words.db")
    database.execute(TABLE)
    consumer = AIOKafkaConsumer(
        "wolkvox.hits",
        "wolkvox.hits.changes",
        bootstrap_servers="localhost:9092",
        group_id="last-words",
        isolation_level="read_committed",  # not the default
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    async with consumer, AIOKafkaProducer(bootstrap_servers="localhost:9092", acks="all") as dead_letters:
        async for record in consumer:
            kind = HitChangedEvent if record.topic == "wolkvox.hits.changes" else HitEvent
            try:
                event = kind.decode(record.value, record.headers)
            except NotAHit as error:
                headers = [*record.headers, ("reason", str(error).encode())]
                await dead_letters.send_and_wait("last-words.dead-letter", record.value, record.key, headers=headers)
            else:
                with database:  # your work: here an event that comes again, or too late, changes nothing
                    row = (event.server, event.conn_id, event.hit, event.observed_at.timestamp())
                    kept = database.execute(KEEP, row).rowcount
                print(event.id, event.hit if kept else "was done before", flush=True)
            await consumer.commit()


asyncio.run(main())
