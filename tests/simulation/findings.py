"""The audit of a scripted stretch: what was shown, what is on the topics, what the gaps explain."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import orjson

from producer.clock import parse_rfc3339
from producer.model import Topic
from tests.simulation.hour import Stage

TELEPHONE = re.compile(r"(?<![\d.])\d{0,4}300000\d{4}(?!\d)")
"""With a prefix or without; not the digits behind a point, where a moment in seconds may look like one."""
CUSTOMER = re.compile(r"(?<![\d.:-])10000\d{5}(?!\d)")


def findings(stage: Stage) -> list[str]:
    """Everything that is wrong, in words; empty if all is well. All instances must have ended."""
    return [*_repeated(stage), *_missing(stage), *_sums(stage), *_leaks(stage)]


def hits_of(stage: Stage) -> dict[str, list[str]]:
    """The ids on the hits topic, by server."""
    hits: dict[str, list[str]] = {server: [] for server in stage.servers}
    for record in stage.kafka.committed(Topic.HITS):
        value = orjson.loads(record.value or b"")
        hits[value["server"]].append(value["conn_id"])
    return hits


def gaps_of(stage: Stage, server: str) -> list[tuple[float, float]]:
    """The gaps told of one server, in Unix seconds."""
    values = (orjson.loads(record.value or b"") for record in stage.kafka.committed(Topic.COVERAGE))
    mine = [value for value in values if value["server"] == server]
    return [(parse_rfc3339(value["from"]), parse_rfc3339(value["to"])) for value in mine]


def _repeated(stage: Stage) -> Iterator[str]:
    for topic in (Topic.HITS, Topic.DEAD_LETTER, Topic.COVERAGE):
        ids = Counter(dict(record.headers)["ce_id"] for record in stage.kafka.committed(topic))
        yield from (f"{topic.name}: {key.decode()} {times} times" for key, times in ids.items() if times > 1)


def _missing(stage: Stage) -> Iterator[str]:
    told, first, now = hits_of(stage), _first_cursors(stage), stage.api.now()
    for server, source in stage.api.sources.items():
        known, gaps = set(told[server]), gaps_of(stage, server)
        since = first.get(server)
        occurred = map(source.centre.hit, range(source.centre.numbers(now).stop))
        stream = {hit.conn_id: hit for hit in occurred if hit.occurred_at < source.centre.end}
        for key, hit in stream.items():
            explained = any(start <= hit.visible_at <= end for start, end in gaps)
            before = key not in source.shown and (since is None or hit.occurred_at + source.centre.window <= since)
            if hit.visible_at <= now and key not in known and not explained and not before:
                yield f"{server}: {key} is neither on the topic nor in a gap (shown: {key in source.shown})"
        yield from (f"{server}: {key} was shown, not told" for key in source.shown - known - stream.keys())
        yield from (f"{server}: {key} was told, never shown" for key in known - source.shown)


def _first_cursors(stage: Stage) -> dict[str, float]:
    """When each first committed snapshot was requested; what left the report before was never promised."""
    first: dict[str, float] = {}
    for record in stage.kafka.committed(Topic.LEDGER):
        kind, _, server = (record.key or b"").decode().partition("/")
        if kind == "cursor":
            first.setdefault(server, parse_rfc3339(orjson.loads(record.value or b"")["requested_at"]))
    return first


def _sums(stage: Stage) -> Iterator[str]:
    for one in stage.ended:
        for server, tally in one.observer.tallies.items():
            waiting = len(one.instance.sources[server].pending)
            ends = tally.published + tally.dead_lettered + tally.dropped + waiting
            if tally.new + tally.dead != ends:
                yield f"{one.instance.process.name}, {server}: {tally} and {waiting} waiting do not add up"


def _leaks(stage: Stage) -> Iterator[str]:
    text = stage.told()
    for name, pattern in (("token", re.compile("c4n4ry")), ("telephone", TELEPHONE), ("customer", CUSTOMER)):
        if found := pattern.search(text):
            yield f"a {name} was told: {text[max(0, found.start() - 60) : found.end() + 20]}"
    if stage.api.leaked:
        yield "a token went to another host"
    if stage.most_busy > 1:
        yield f"{stage.most_busy} calls at a time for one token"
