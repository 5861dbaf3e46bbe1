"""Rows known by their bytes are not asked about, if all of the last answer are told or wait: it comes to the same."""

from __future__ import annotations

import asyncio
from collections.abc import Container
from dataclasses import asdict
from typing import Any

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from producer.core.poller import Poller, commit_once
from producer.core.ports import Told
from producer.core.source import Source
from producer.errors import KafkaFailed
from producer.model import Rows, Snapshot, SourceFold, Topic
from producer.wolkvox.reader import RowReader
from producer.wolkvox.recall import Recall
from tests.twins.manual_clock import ManualClock
from tests.twins.memory_kafka import MemoryKafka
from tests.twins.memory_store import Fault, MemoryShardStore
from tests.unit.core.rig import Unlimited
from tests.unit.core.samples import KEEP, SERVER, SHARD, WINDOW, a_row, at
from tests.unit.wolkvox.snapshots import BOGOTA, body_of, snapshot_of

ROWS: list[Any] = [
    *(a_row(name) for name in "abcd"),
    a_row("a") | {"hit": "PROMESA DE PAGO"},
    a_row("e") | {"hit": ""},
    a_row("f") | {"telephone": ["no", "text"]},
    {"conn_id": "TOTAL", "type_interaction": "", "date": "", "hit": "4"},
    {"conn_id": 190000001, "hit": "VENTA EFECTIVA"},
    {"hit": "no id"},
]
NOT_FOUND = "not found"
REPORTS = st.lists(st.sampled_from(range(len(ROWS))), max_size=5)
STEPS = st.lists(REPORTS | st.sampled_from(["commit", "lost", "landed", "away and back", NOT_FOUND]), max_size=12)


class Asking(Source):
    """One that always asks about every row."""

    def parsed_only(self, snapshot: Snapshot) -> bool:
        return False


class Retaken(RowReader):
    """One that reads while the shard goes elsewhere and comes back, with an empty ledger."""

    taken_anew: Source | None = None

    def identify(self, snapshot: Snapshot, *, known: Container[str], parsed_only: bool = False) -> Rows:
        rows = super().identify(snapshot, known=known, parsed_only=parsed_only)
        if self.taken_anew is not None:
            self.taken_anew.release()
            self.taken_anew.restore(SourceFold(), snapshot.received)
        return rows


class Side:
    """A poller of answers in bytes, and a store."""

    def __init__(self, kind: type[Source], *, marked_only: bool, reads: type[RowReader] = RowReader) -> None:
        self.source = kind(server=SERVER, keep=KEEP, window=WINDOW)
        self.source.restore(SourceFold(), at(0))
        self.kafka = MemoryKafka()
        self.used = 0
        self._store = MemoryShardStore(self.kafka, number=SHARD)
        self._recall = Recall()
        self._body, self._polls = b"", 0
        self._clock = ManualClock()
        self.reader = reads(server=SERVER, zone=BOGOTA, marked_only=marked_only)
        self._poller = Poller(source=self.source, api=self, reader=self.reader, budget=Unlimited())

    async def fetch(self) -> Snapshot:
        moment = at(300.0 * self._polls)
        snapshot = snapshot_of(self._body, self._recall) if self._body else Snapshot(SERVER, moment, moment, [])
        snapshot.requested = snapshot.received = moment
        snapshot.answer = self._recall.answers
        self.used += self.source.parsed_only(snapshot)
        return snapshot

    async def does(self, step: Any) -> Any:
        """What a step comes to."""
        if isinstance(step, list) or step == NOT_FOUND:
            self._polls += 1
            self._body = b"" if step == NOT_FOUND else body_of(*(orjson.dumps(ROWS[number]) for number in step))
            polled = asdict(await self._poller.poll_once())
            return {name: polled[name] for name in polled.keys() - {"poll", "seconds", "fetch_seconds"}}
        if step == "away and back":
            self.source.release()
        else:
            await self._commit(step)
        return len(self.source.pending)

    def told(self, topic: Topic) -> list[bytes | None]:
        """The keys of its records: what they say beyond that has a random part."""
        return [record.key for record in self.kafka.committed(topic) if topic is not Topic.LEDGER]

    async def _commit(self, how: str) -> None:
        self._store.faults.extend({"lost": [Fault.LOST], "landed": [Fault.UNKNOWN_LANDED]}.get(how, []))
        if not self.source.held:
            await self._take()
        try:
            await commit_once([self.source], self._store, self._clock, {SERVER: Told()})
        except KafkaFailed:
            await self._take()

    async def _take(self) -> None:
        self.source.restore((await self._store.take()).get(SERVER, SourceFold()), at(300.0 * self._polls))


async def both(steps: list[Any], *, marked_only: bool) -> int:
    """See that it is all the same, poll by poll; how often only what was parsed was asked about."""
    one, other = Side(Source, marked_only=marked_only), Side(Asking, marked_only=marked_only)
    for step in steps:
        assert await one.does(step) == await other.does(step)
    for topic in Topic:
        assert one.told(topic) == other.told(topic)
    return one.used


@given(steps=STEPS, marked_only=st.booleans())
@example(steps=[[0, 1], "commit", [0, 1, 2], "commit", [1, 2]], marked_only=False)
@example(steps=[[0], [0], [0, 6], "commit", [0, 6, 1], [0, 6, 1]], marked_only=False)
@example(steps=[[0], [0], [0, 7], [0, 7, 1], [0, 7, 1]], marked_only=False)
@example(steps=[[0], [0], [0, 5], [0, 5, 1], [0, 5, 1]], marked_only=True)
@example(steps=[[0], [0], [0, 4], [0, 4, 1], [0, 4, 1]], marked_only=False)
@example(steps=[[0], [0], [0, 1], "away and back", [0, 1, 2], "commit"], marked_only=False)
def test_what_is_not_asked_comes_to_the_same(*, steps: list[Any], marked_only: bool) -> None:
    asyncio.run(both(steps, marked_only=marked_only))


async def test_of_a_report_that_moves_on_only_what_was_parsed_is_asked_about() -> None:
    """Counted: else the test above would compare two of the same. The first two answers are read whole."""
    assert await both([[0, 1], "commit", [0, 1, 2], "commit", [1, 2], [2]], marked_only=False) == 2


async def test_a_shard_that_is_taken_anew_while_rows_are_read_is_asked_about_whole() -> None:
    """Else the cursor of this answer would vouch for rows that nobody has told."""
    side = Side(Source, marked_only=False, reads=Retaken)
    for step in ([0, 1], "commit", [0, 1, 2], "commit"):
        await side.does(step)
    assert isinstance(side.reader, Retaken)
    side.reader.taken_anew = side.source
    assert (await side.does([0, 1, 2]))["new"] == 3
    assert side.used == 1


async def test_the_sums_hold_when_a_shard_is_taken_anew_while_unmarked_rows_are_read() -> None:
    side = Side(Source, marked_only=True, reads=Retaken)
    for step in ([0, 1, 5], "commit", [0, 1, 5], "commit", [0, 1, 5]):
        await side.does(step)
    assert isinstance(side.reader, Retaken)
    side.reader.taken_anew = side.source
    polled = await side.does([0, 1, 5])
    assert (polled["new"], polled["duplicate"], polled["unmarked"]) == (2, 0, 1)


async def test_a_report_that_was_not_found_once_is_asked_about_whole() -> None:
    """Its TOTAL line was a duplicate from then on, and its dead rows were forgotten while it showed them."""
    side = Side(Source, marked_only=False)
    await side.does([0, 7])
    await side.does("commit")
    polls = [await side.does(step) for step in ([0, 7], NOT_FOUND, [0, 7], [0, 7])]
    assert [(poll["rows"], poll["summaries"]) for poll in polls] == [(2, 1), (0, 0), (2, 1), (2, 1)]


async def test_a_dead_row_that_stays_is_still_known_when_the_shard_comes_back() -> None:
    """It stays for longer than ids are kept."""
    stays = [[0, 6], "commit"] * int(KEEP / 300 + 3)
    assert await both([[0], [0], *stays, "away and back", [0, 6], "commit"], marked_only=False)
