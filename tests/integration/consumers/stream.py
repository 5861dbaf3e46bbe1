"""A topic with all that a topic can hold: the service's hits, aborted and repeated ones, records that are no hits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from confluent_kafka import Producer

from producer.events import Events, Record
from producer.frame import frame
from producer.model import Hit
from tests.integration.service.audit import read
from tests.integration.service.instance import Line
from tests.integration.service.stage import Stage

PARTITIONS = 3
Written = tuple[bytes, bytes | None, Mapping[str, bytes]]
"""Key, value, headers."""

OTHER = "0099"
"""The server of hits that the test itself makes."""

HEADERS: Mapping[str, bytes] = {
    "ce_type": b"wolkvox.hit",
    "ce_id": b"0099/poison",
    "ce_source": b"/wolkvox/0099/hits_last_hour",
    "ce_dataschema": b"urn:wolkvox-hits:schema:hit:1.0.0",
}
POISON: Sequence[Written] = (
    (b"poison-0", b"\xff no JSON, no headers", {}),
    (b"poison-1", b'{"hit": "cut of', HEADERS),
    (b"poison-2", b'{"hit": "SALE"}', {**HEADERS, "ce_type": b"another.thing", "ce_dataschema": b"urn:another:1.0.0"}),
    (b"poison-3", None, HEADERS),
    (b"poison-deep", b"[" * 100_000, HEADERS),
    (
        b"poison-4",
        b'{"server": "0099", "conn_id": "poison", "hit": "SALE", "observed_at": "2026-01-19T01:14:00.000000Z"}',
        {**HEADERS, "ce_dataschema": b"urn:wolkvox-hits:schema:hit:2.0.0"},
    ),
)
"""Records that no consumer of hits can read, the last one of a version that nobody knows yet."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What is on the topic: ce_ids of committed hits, of those that are none yet, of aborted ones, of those that are
    there twice."""

    bootstrap: str
    topic: str
    hits: frozenset[str]
    empty: frozenset[str]
    aborted: frozenset[str]
    repeated: frozenset[str]
    last: Mapping[int, str]
    """The last record of each partition: whoever has seen these three has seen everything."""


async def make_stream(bootstrap: str, topic: str) -> Stream:
    """Runs the service against a simulated call centre, and other producers beside it."""
    stage = Stage(bootstrap=bootstrap, topic=topic, typify_late=0.0)
    await stage.simulator.open()
    try:
        service = await stage.start()
        await service.until("committed", where=_has_events)
        others = Others(bootstrap, topic)
        others.abort(_made_up_many(60))
        others.write(POISON)
        await service.until("committed", since=service.mark(), where=_has_events)
        others.abort(_made_up_many(60))
        await stage.caught_up(service)
        await service.stop()
        some = [record for record in await read(bootstrap, topic) if not record.key.startswith("poison")][::10]
        others.write((record.key.encode(), record.value, record.headers) for record in some)
        more = [made_up("ñandú"), _framed(made_up("framed")), _traced(made_up("traced"))]
        empty = [made_up("empty", hit=""), made_up("null", hit=None)]
        others.write([*more, *empty])
        last = others.finish()
        shown = {f"{stage.simulator.server}/{conn_id}" for conn_id in stage.simulator.shown}
        return Stream(
            bootstrap=bootstrap,
            topic=topic,
            hits=frozenset(shown | {_ce_id(headers) for *_, headers in more} | set(last.values())),
            empty=frozenset(_ce_id(headers) for *_, headers in empty),
            aborted=frozenset(others.aborted),
            repeated=frozenset(_ce_id(record.headers) for record in some),
            last=last,
        )
    finally:
        await stage.close()


class Others:
    """Other producers of the topic; each of their transactions ends before the next step."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.aborted: set[str] = set()
        self._topic = topic
        self._producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": f"others-of-{topic}"})
        self._producer.init_transactions()

    def abort(self, records: Iterable[Written]) -> None:
        """Records on all partitions, in a transaction that is aborted after they reached the broker."""
        self._producer.begin_transaction()
        for number, (key, value, headers) in enumerate(records):
            self.aborted.add(_ce_id(headers))
            self._produce(key, value, headers, partition=number % PARTITIONS)
        assert self._producer.flush() == 0
        self._producer.abort_transaction()

    def write(self, records: Iterable[Written]) -> None:
        """Records where their keys belong, committed."""
        self._producer.begin_transaction()
        for key, value, headers in records:
            self._produce(key, value, headers)
        self._producer.commit_transaction()

    def finish(self, name: str = "last") -> dict[int, str]:
        """One hit at the end of each partition, by this name and its number; their ce_ids."""
        last = {}
        self._producer.begin_transaction()
        for partition in range(PARTITIONS):
            key, value, headers = made_up(f"{name}.{partition}")
            last[partition] = _ce_id(headers)
            self._produce(key, value, headers, partition=partition)
        self._producer.commit_transaction()
        return last

    def _produce(self, key: bytes, value: bytes | None, headers: Mapping[str, bytes], partition: int = -1) -> None:
        self._producer.produce(self._topic, value, key, partition, headers=dict(headers))


def _made_up_many(count: int) -> Iterator[Written]:
    return (made_up(f"aborted.{uuid4().hex}") for _ in range(count))


def _framed(written: Written) -> Written:
    """As where the service has a schema registry."""
    key, value, headers = written
    return key, frame(7) + (value or b""), headers


def _traced(written: Written) -> Written:
    """With a header of somebody else, which is no text."""
    key, value, headers = written
    return key, value, {**headers, "trace": b"\xff\x00"}


def made_up(name: str, *, hit: str | None = "SALE") -> Written:
    """A hit that the service never saw, in all other ways like its own."""
    made = Hit(
        conn_id=name,
        server=OTHER,
        type_interaction="inbound",
        date="20260118201332",
        telephone=None,
        customer_id=None,
        hit=hit,
        occurred_at="2026-01-18T20:13:32-05:00",
        observed_at="2026-01-19T01:14:00.000000Z",
    )
    record = Events(server=OTHER).hit(made, limit=100_000)
    assert isinstance(record, Record)
    return record.key, record.value, dict(record.headers)


def _ce_id(headers: Mapping[str, bytes]) -> str:
    return headers["ce_id"].decode()


def _has_events(line: Line) -> bool:
    return bool(line["events"])
