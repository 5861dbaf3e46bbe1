"""What the topics say of a stretch of time: which hits were told, by their own dates, and which gaps."""

from __future__ import annotations

from contextlib import aclosing

import orjson

from producer.clock import parse_rfc3339
from producer.kafka.connection import Connection
from producer.kafka.tail import tail
from producer.model import REPORT, Gap, GapKind, Topic
from producer.recovery.found import moment_of


async def hits_told(connection: Connection, server: str, *, since: float) -> dict[str, float]:
    """The hits of a server that were told from a moment on in Unix seconds, by id: when they occurred."""
    found, source = dict[str, float](), ("ce_source", f"/wolkvox/{server}/{REPORT}".encode())
    async with aclosing(tail(connection, connection.settings.topic, since=since, follow=False)) as records:
        async for record in records:
            if source in record.headers and record.value is not None:
                hit = orjson.loads(record.value)
                found[hit["conn_id"]] = moment_of(hit)
    return found


async def gaps_told(connection: Connection, server: str, *, since: float) -> list[Gap]:
    """The gaps of a server that were told from a moment on."""
    found, name = list[Gap](), connection.settings.topic + Topic.COVERAGE
    async with aclosing(tail(connection, name, since=since, follow=False)) as records:
        async for record in records:
            is_gap = ("ce_type", b"wolkvox.coverage-gap") in record.headers
            if is_gap and record.key == server.encode() and record.value is not None:
                gap = orjson.loads(record.value)
                start, end = parse_rfc3339(gap["from"]), parse_rfc3339(gap["to"])
                found.append(Gap(server, start, end, GapKind(gap["kind"]), gap["certain"]))
    return found
