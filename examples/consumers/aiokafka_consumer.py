"""A commission for each hit, once. To run it, with this package installed: python aiokafka_consumer.py"""

import asyncio
import sqlite3

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from producer.events import HitEvent, NotAHit


async def main() -> None:
    database = sqlite3.connect("commissions.db")
    database.execute("CREATE TABLE IF NOT EXISTS commission (ce_id TEXT PRIMARY KEY, hit TEXT)")
    consumer = AIOKafkaConsumer(
        "wolkvox.hits",
        bootstrap_servers="localhost:9092",
        group_id="commissions",
        isolation_level="read_committed",  # not the default
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    async with consumer, AIOKafkaProducer(bootstrap_servers="localhost:9092", acks="all") as dead_letters:
        async for record in consumer:
            try:
                event = HitEvent.decode(record.value, record.headers)
            except NotAHit as error:
                headers = [*record.headers, ("reason", str(error).encode())]
                await dead_letters.send_and_wait("commissions.dead-letter", record.value, record.key, headers=headers)
            else:
                if event.hit:  # else it is no achievement, or not yet
                    with database:  # your work: here the primary key sees to it that it is done once
                        row = (event.id, event.hit)
                        done = database.execute("INSERT OR IGNORE INTO commission VALUES (?, ?)", row).rowcount
                    print(event.id, event.occurred_at if done else "was done before", flush=True)
            await consumer.commit()


asyncio.run(main())
