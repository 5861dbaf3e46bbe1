"""The last word on each hit. To run it, with this package installed: python last_word_consumer.py"""

import asyncio
import json
import sys

from aiokafka import AIOKafkaConsumer

from producer.events import Hits, NotAHit


async def main() -> None:
    hits = Hits()  # in memory, made anew at each start: no group, no offsets, everything from the beginning
    consumer = AIOKafkaConsumer(
        "wolkvox.hits",
        "wolkvox.hits.changes",
        bootstrap_servers="localhost:9092",
        isolation_level="read_committed",  # not the default
        auto_offset_reset="earliest",
    )
    async with consumer:
        async for record in consumer:
            try:
                event = hits.read(record.value, record.headers)
            except NotAHit as error:
                print(f"{record.topic}-{record.partition} at {record.offset}: {error}", file=sys.stderr)
                continue
            if event is not None:  # your work: this is what the hit says now; hits.now(server, conn_id) tells it later
                print(json.dumps([event.server, event.conn_id, event.hit]), flush=True)


asyncio.run(main())
