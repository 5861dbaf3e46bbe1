"""A small Kafka in memory: topics of partitions, transactions, fencing by epoch, read_committed.

As on the real one, an open transaction holds back the last stable offset, its end leaves a control record (so offsets
are no counts), and taking a transactional id aborts what its former holder left open. It keeps every record: there is
no compaction and no retention. Held to the real broker by tests/contracts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple
from zlib import crc32

from producer.errors import Fenced
from producer.model import Outgoing, Topic

Where = tuple[Topic, int]


class _State(Enum):
    OPEN = auto()
    COMMITTED = auto()
    ABORTED = auto()


@dataclass(slots=True, eq=False)
class _Transaction:
    state: _State = _State.OPEN
    touched: dict[Where, int] = field(default_factory=dict)
    """Where it wrote, and its first offset there."""


class Record(NamedTuple):
    """A record as a reader gets it; `at` orders the records of all partitions by when they were written."""

    topic: Topic
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    at: int


class _Entry(NamedTuple):
    record: Record | None  # None is a control record
    transaction: _Transaction


class MemoryKafka:
    """The cluster; `partitions` by topic."""

    def __init__(self, *, partitions: Mapping[Topic, int] | None = None) -> None:
        self.partitions = dict(partitions or dict.fromkeys(Topic, 12))
        self._logs: dict[Where, list[_Entry]] = {
            (topic, number): [] for topic, count in self.partitions.items() for number in range(count)
        }
        self._epochs: dict[str, int] = {}
        self._open: dict[str, _Transaction] = {}
        self._undecided: list[_Transaction] = []
        self._written = 0

    def producer(self, transactional_id: str) -> MemoryProducer:
        """Take a transactional id: its former holder is fenced, what he left open is aborted."""
        self._epochs[transactional_id] = self._epochs.get(transactional_id, -1) + 1
        self.end(transactional_id, _State.ABORTED)
        return MemoryProducer(self, transactional_id, self._epochs[transactional_id])

    def partition_of(self, record: Outgoing, *, shard: int) -> int:
        """Where a shard's record goes: the ledger's partition is the shard, a key's is always the same."""
        return shard if record.topic is Topic.LEDGER else crc32(record.key) % self.partitions[record.topic]

    def high_watermark(self, where: Where) -> int:
        """The offset behind the last record."""
        return len(self._logs[where])

    def last_stable_offset(self, where: Where) -> int:
        """How far a read_committed reader gets: the first record of a transaction that is still open."""
        first = (one.touched[where] for one in self._undecided if where in one.touched)
        return min(first, default=self.high_watermark(where))

    def committed(self, topic: Topic, partition: int | None = None) -> list[Record]:
        """What a read_committed reader gets, of one partition or of all, in the order written."""
        numbers = range(self.partitions[topic]) if partition is None else [partition]
        return sorted(
            (record for number in numbers for record in self._stable((topic, number))), key=lambda one: one.at
        )

    def ends(self) -> Mapping[Where, int]:
        """The last stable offset of each partition."""
        return {where: self.last_stable_offset(where) for where in self._logs}

    def lose_ledger(self) -> None:
        """The ledger is deleted, and made again with nothing in it."""
        for where in [where for where in self._logs if where[0] is Topic.LEDGER]:
            self._logs[where] = []
            for transaction in self._undecided:
                transaction.touched.pop(where, None)

    def _stable(self, where: Where) -> Iterator[Record]:
        for entry in self._logs[where][: self.last_stable_offset(where)]:
            if entry.record is not None and entry.transaction.state is _State.COMMITTED:
                yield entry.record

    def epoch(self, transactional_id: str) -> int:
        """The epoch of the present holder."""
        return self._epochs[transactional_id]

    def append(self, transactional_id: str, where: Where, record: Outgoing) -> int:
        """Write a record within the open transaction of an id; its offset."""
        if transactional_id not in self._open:
            self._open[transactional_id] = _Transaction()
            self._undecided.append(self._open[transactional_id])
        transaction = self._open[transactional_id]
        self._written += 1
        offset = self.high_watermark(where)
        transaction.touched.setdefault(where, offset)
        written = Record(*where, offset, record.key, record.value, tuple(record.headers), self._written)
        self._logs[where].append(_Entry(written, transaction))
        return offset

    def end(self, transactional_id: str, state: _State) -> None:
        """Commit or abort what an id has open, if anything."""
        transaction = self._open.pop(transactional_id, None)
        if transaction is not None:
            self._decide(transaction, state)

    def _decide(self, transaction: _Transaction, state: _State) -> None:
        self._undecided.remove(transaction)
        transaction.state = state
        for where in sorted(transaction.touched):
            self._logs[where].append(_Entry(None, transaction))


class MemoryProducer:
    """One holder of a transactional id; every call raises Fenced once another took it."""

    def __init__(self, kafka: MemoryKafka, transactional_id: str, epoch: int) -> None:
        self._kafka = kafka
        self._id = transactional_id
        self._epoch = epoch

    def send(self, record: Outgoing, *, partition: int) -> int:
        """Write a record; the first one opens the transaction. Its offset."""
        self._require_own()
        return self._kafka.append(self._id, (record.topic, partition), record)

    def commit(self) -> None:
        """Make what was sent visible, all at once."""
        self._require_own()
        self._kafka.end(self._id, _State.COMMITTED)

    def abort(self) -> None:
        """Make what was sent invisible for ever."""
        self._require_own()
        self._kafka.end(self._id, _State.ABORTED)

    def _require_own(self) -> None:
        if self._kafka.epoch(self._id) != self._epoch:
            raise Fenced("another producer took the transactional id")
