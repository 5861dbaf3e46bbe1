"""What was found goes into the shard once, whoever else holds it and however a transaction ends."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import orjson
import pytest

from producer.clock import rfc3339
from producer.core.ledger import Kind, cursor_record, entry_records, gap_record, shard_of
from producer.core.ledger import Outcome as Became
from producer.errors import Fenced, TooSlow, Unavailable
from producer.model import Cursor, Gap, GapKind, Hit, Method, OpenGap, Outgoing, Topic
from producer.recovery.found import Found, Judged
from producer.recovery.publication import TRIES, Outcome, Publication
from tests.twins.manual_clock import ManualClock
from tests.twins.memory_kafka import MemoryKafka, Record
from tests.twins.memory_store import LIMIT, Fault, MemoryShardStore
from tests.unit.core.samples import KEEP, SERVER, WINDOW, a_dead_row, a_hit, at

SHARD = shard_of(SERVER, 12)
OBSERVED = at(0).rfc3339()


class Bench:
    """A shard of a Kafka in memory, and a publication into it; `before` is what its ledger has."""

    def __init__(self, *before: Outgoing, refused: Iterable[str] = ()) -> None:
        self.kafka = MemoryKafka()
        self.store = MemoryShardStore(self.kafka, number=SHARD, servers=[SERVER])
        self.said: list[str] = []
        self.waits: list[float] = []
        self._refused = frozenset(refused)
        self.owner_writes([cursor_record(SERVER, Cursor(at(0).wall, None)), *before])

    def owner_writes(self, records: Iterable[Outgoing]) -> None:
        """Another takes the shard and commits."""
        owner = self.kafka.producer(f"wolkvox.hits.ledger-{SHARD}")
        for record in records:
            owner.send(record, partition=SHARD)
        owner.commit()

    async def publish(
        self,
        found: Found,
        *,
        new: Iterable[str] | None = None,
        room: int = 1_000,
        unknown: Iterable[str] = (),
        healing: tuple[float, float] | None = None,
        asked: float = 5.0,
        now: float = 10.0,
    ) -> Outcome:
        hits = {key: hit for key, hit in found.hits.items() if new is None or key in set(new)}
        publication = Publication(
            server=SERVER,
            keep=KEEP,
            window=WINDOW,
            store=self.store,
            refused=self._refused_ids,
            clock=ManualClock(wall=at(now).wall, boot=at(now).boot),
            rng=Random(1),
            say=self.said.append,
            pause=self._pause,
            room=room,
        )
        judged = Judged(hits, (), {key: found.hits[key] for key in unknown})
        return await publication.publish(found, judged, asked=at(asked), healing=healing)

    async def _refused_ids(self) -> frozenset[str]:
        return self._refused

    async def _pause(self, seconds: float) -> None:
        self.waits.append(seconds)

    @property
    def told(self) -> list[str]:
        """The keys of the events, in their order."""
        return [record.key.decode() for record in self.kafka.committed(Topic.HITS) if record.key]


def finding(*ids: str, method: Method = Method.FILE, dead: Iterable[str] = ()) -> Found:
    rows = {key: a_dead_row(key) for key in dead}
    return Found(method, at(0), {key: a_hit(key, observed_at=OBSERVED) for key in ids}, rows)


def told(*ids: str, outcome: Became = Became.PUBLISHED) -> Outgoing:
    [(_, record)] = entry_records(
        Kind.TOLD, SERVER, ids, outcome=outcome, observed_at=OBSERVED, limit=LIMIT, digests=b"\0" * 4 * len(ids)
    )
    return record


async def test_what_is_new_is_told_with_its_mark_and_remembered() -> None:
    bench = Bench()
    assert await bench.publish(finding("1", "2", dead=["x"])) == Outcome(published=2, dead_lettered=1)
    assert sorted(bench.told) == ["1", "2"]
    assert {dict(record.headers)["wolkvox_recovered"] for record in bench.kafka.committed(Topic.HITS)} == {b"file"}
    commits = bench.store.commits
    assert await bench.publish(finding("1", "2", dead=["x"])) == Outcome(told=2)
    assert bench.store.commits == commits
    assert len(bench.told) == 2
    assert len(bench.kafka.committed(Topic.DEAD_LETTER)) == 1


async def test_what_the_owner_told_meanwhile_is_told_before() -> None:
    bench = Bench(told("2"))
    assert await bench.publish(finding("1", "2", "3"), new=["1", "2"]) == Outcome(published=1, told=1)
    assert bench.told == ["1"]


async def test_more_rows_than_a_transaction_holds_take_several() -> None:
    bench = Bench()
    assert await bench.publish(finding(*map(str, range(25))), room=10) == Outcome(published=25)
    assert (len(bench.told), bench.store.commits) == (25, 3)


async def test_who_is_fenced_tries_again_and_tells_nothing_twice() -> None:
    bench = Bench()
    bench.store.failures.extend([Fenced("taking"), Fenced("taking")])
    assert await bench.publish(finding("1", "2")) == Outcome(published=2)
    assert bench.said[0].startswith("the owner took the shard back: once more, 9 tries")
    assert len(bench.waits) == 2
    assert sorted(bench.told) == ["1", "2"]


async def test_nobody_tries_for_ever() -> None:
    bench = Bench()
    bench.store.failures.extend([Fenced("taking")] * TRIES)
    with pytest.raises(Fenced):
        await bench.publish(finding("1"))
    assert not bench.told


async def test_a_cluster_that_is_away_is_not_waited_for() -> None:
    bench = Bench()
    bench.store.failures.append(Unavailable("away"))
    with pytest.raises(Unavailable):
        await bench.publish(finding("1"))


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.UNKNOWN_LANDED])
@pytest.mark.parametrize("failing", range(3))
async def test_a_transaction_whose_end_nobody_knows_is_asked_of_the_ledger(fault: Fault, failing: int) -> None:
    bench = Bench()
    commits = [None] * failing + [fault]

    class Failing(MemoryShardStore):
        async def commit(self, records: object) -> None:
            if (one := commits.pop(0) if commits else None) is not None:
                self.faults.append(one)
            await super().commit(records)  # type: ignore[arg-type]

    bench.store = Failing(bench.kafka, number=SHARD, servers=[SERVER])
    assert await bench.publish(finding(*map(str, range(25))), room=10) == Outcome(published=25)
    assert len(bench.told) == len(set(bench.told)) == 25


async def test_a_transaction_that_takes_too_long_gets_fewer_rows() -> None:
    bench = Bench()
    bench.store.failures.append(TooSlow("committing"))
    assert await bench.publish(finding(*map(str, range(20))), room=20) == Outcome(published=20)
    assert bench.store.commits == 2


async def test_an_owner_who_came_so_much_further_may_have_forgotten_what_he_told() -> None:
    bench = Bench()
    bench.owner_writes([cursor_record(SERVER, Cursor(at(5).wall + KEEP, None))])
    with pytest.raises(Unavailable, match="so long ago"):
        await bench.publish(finding("1"), now=KEEP + 10)
    assert not bench.told
    assert await bench.publish(finding("1"), asked=KEEP, now=KEEP + 10) == Outcome(published=1)


async def test_ids_that_are_done_as_dead_letters_are_told_if_these_are_what_is_recovered() -> None:
    refused = told("1", "2", outcome=Became.DEAD_LETTERED)
    assert await Bench(refused, refused=["1", "2"]).publish(finding("1")) == Outcome(told=1)
    bench = Bench(refused, refused=["1", "2"])
    assert await bench.publish(finding("1", method=Method.DEAD_LETTER)) == Outcome(published=1)
    assert await Bench(told("1"), refused=["2"]).publish(finding("1", method=Method.DEAD_LETTER)) == Outcome(told=1)


def dated(key: str, moment: float) -> Hit:
    hit = a_hit(key, observed_at=OBSERVED)
    hit["occurred_at"] = rfc3339(moment)
    return hit


BEGIN = at(-7_200).wall
GAPS = [
    Gap(SERVER, BEGIN + start, BEGIN + start + 100, GapKind.UNPOLLED, certain=False) for start in (100, 1_000, 5_000)
]
HISTORY = Found(
    Method.HISTORY,
    at(0),
    {key: dated(key, BEGIN + ago) for key, ago in {"a": 150, "b": 195, "told": 160, "rest": 500, "c": 1_050}.items()},
    {},
)


async def heal(bench: Bench, healing: tuple[float, float] | None, *, unknown: Iterable[str] = ()) -> Outcome:
    new = {"a", "b", "rest", "c"} - set(unknown)
    return await bench.publish(HISTORY, new=new, healing=healing, unknown=unknown)


def with_gaps() -> Bench:
    return Bench(*(gap_record(OpenGap(gap, OBSERVED)) for gap in GAPS))


async def test_gaps_that_lie_wholly_in_the_range_are_healed_each_with_its_own_counts() -> None:
    bench = with_gaps()
    outcome = await heal(bench, (BEGIN, BEGIN + 5_050))
    assert outcome == Outcome(published=4, recovered=2)
    assert sorted(bench.told) == ["a", "b", "c", "rest"]
    healed = bench.kafka.committed(Topic.COVERAGE)
    counts = [(record["found"], record["published"], record["already_told"]) for record in map(value_of, healed)]
    assert counts == [(3, 2, 1), (1, 1, 0)]
    assert open_gaps(bench) == {gap_record(OpenGap(GAPS[2], OBSERVED)).key}
    assert (await heal(bench, (BEGIN, BEGIN + 5_050))).recovered == 0


async def test_no_gap_is_healed_by_what_is_no_history_of_its_time() -> None:
    bench = with_gaps()
    assert (await heal(bench, None)).recovered == 0
    assert len(open_gaps(bench)) == 3


async def test_a_gap_with_a_hit_that_nobody_knows_of_is_not_said_to_be_healed() -> None:
    bench = with_gaps()
    assert await heal(bench, (BEGIN, BEGIN + 5_050), unknown=["b"]) == Outcome(published=3, recovered=1)
    assert len(open_gaps(bench)) == 2


def value_of(record: Record) -> dict[str, int]:
    return dict(orjson.loads(record.value or b""))


def open_gaps(bench: Bench) -> set[bytes]:
    last = {one.key: one.value for one in bench.kafka.committed(Topic.LEDGER, SHARD)}
    return {key for key, value in last.items() if key and key.startswith(b"gap/") and value is not None}
