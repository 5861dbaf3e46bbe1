"""What the core asks of the world, as protocols: the API, one shard's store on Kafka, the observer.

The true ones are in `wolkvox/`, `kafka/` and `observe/`; the tests hold in-memory twins to the same contract.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from producer.errors import KafkaFailed, PollFailed
from producer.model import (
    Drift,
    Dropped,
    Gap,
    GapRecovered,
    Method,
    Outgoing,
    Progress,
    RawRow,
    Reading,
    Row,
    Rows,
    Series,
    Snapshot,
    SourceFold,
    ToldSince,
)


class Api(Protocol):
    """One source's report."""

    async def fetch(self) -> Snapshot:
        """The report as it stands; raises a PollFailed that says what to do."""
        ...


class History(Protocol):
    """One source's historical reports."""

    async def fetch(self, begin: float, end: float) -> Snapshot:
        """The hits dated between two moments, in Unix seconds, as rows with the live report's six fields and no other.

        Raises a PollFailed that says what to do, by the names of the live report's.
        """
        ...

    def calls(self, begin: float, end: float) -> int:
        """How many of the day's calls that costs at least."""
        ...


class Past(Protocol):
    """What the hits topic itself knows, also of what the ledger has forgotten."""

    async def told(self, server: str, since: float) -> ToldSince:
        """The ids that were told of a server from a moment on, in Unix seconds, up to now; raises KafkaFailed."""
        ...


class Reader(Protocol):
    """What makes rows of a snapshot, and hits of rows."""

    def identify(self, snapshot: Snapshot, *, known: Container[str], parsed_only: bool = False) -> Rows:
        """The rows by id; those without one are dead. Ids in `known` were valid once and are not looked at again.

        `parsed_only`: nor need those be of rows that were not parsed again, told or waiting each; so they are not
        fresh.
        """
        ...

    def read(
        self,
        rows: Mapping[str, Row | RawRow],
        snapshot: Snapshot,
        *,
        again: Sequence[Mapping[str, Row | RawRow]] = (),
    ) -> Reading:
        """Rows of the snapshot as hits, or as dead rows with the reason. Lets the snapshot's body go.

        `again` are rows of known ids, and what else the report says of them; dead is what stands first.
        """
        ...


class Budget(Protocol):
    """How many rows may wait for Kafka, all sources together."""

    limit: int

    def waiting(self) -> int:
        """How many wait now."""
        ...

    def make_room(self, rows: int) -> None:
        """Let go of what another instance polls, if so many more would exceed the limit."""
        ...


class ShardStore(Protocol):
    """One shard on Kafka: its transactional id and its partition of the ledger."""

    @property
    def limit(self) -> int:
        """Bytes that one record may have at most."""
        ...

    @property
    def progress(self) -> Progress | None:
        """How far a `take` in hand has read the ledger; None before its first record and after its last."""
        ...

    async def take(self) -> Mapping[str, SourceFold]:
        """Take the transactional id, fencing whoever held it, and read the ledger to its high watermark.

        Raises a KafkaFailed that says what to do.
        """
        ...

    async def commit(self, records: Iterable[Outgoing | Series]) -> None:
        """All of them, or none, in one transaction; raises a Discard if it failed or its outcome is unknown."""
        ...

    async def discard(self) -> None:
        """Throw the producer away, in bounded time whatever the cluster does; `take` may follow."""
        ...


@dataclass(frozen=True, slots=True)
class Polled:
    """A poll that brought a snapshot; `rows` is the sum of new, changed, duplicate, dead, unmarked and summaries.

    `newest` is the latest date of its new rows, in Unix seconds; `doubtful` are those of them whose `hit` says that
    they are none.
    """

    server: str
    poll: str
    rows: int
    new: int
    changed: int
    duplicate: int
    dead: int
    summaries: int
    unmarked: int
    doubtful: int
    dates_unparsed: int
    newest: float | None
    pending: int
    seconds: float
    fetch_seconds: float
    truncated: bool
    not_found: bool
    drift: Mapping[Drift, int]


@dataclass(frozen=True, slots=True)
class Failed:
    """A poll that brought none; `retry_in` in seconds."""

    server: str
    poll: str
    error: PollFailed
    seconds: float
    retry_in: float


@dataclass(slots=True)
class Told:
    """What a transaction told of one source.

    `delays` counts hits by the seconds from occurred to committed, as far as the one says anything of the other.
    """

    published: int = 0
    changed: int = 0
    dead_lettered: int = 0
    recovered: Counter[Method] = field(default_factory=Counter)
    """Hits that no snapshot showed; they are not among the published."""
    recoveries: list[GapRecovered] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    delays: Counter[float] = field(default_factory=Counter)
    dropped: Dropped = field(default_factory=Dropped)


@dataclass(frozen=True, slots=True)
class Unhealed:
    """A gap that could not be healed this time, and why; `retry_in` in seconds, None if nobody will try again."""

    gap: Gap
    why: str
    retry_in: float | None
    disagrees: bool = False
    """Whether the history knows the hits of a covered time by other ids than they were told."""


class Observer(Protocol):
    """Where the core tells what happened; never raises, never waits."""

    def polled(self, polled: Polled) -> None:
        """A snapshot was taken."""

    def failed(self, failed: Failed) -> None:
        """A poll brought no snapshot."""

    def died(self, server: str, error: Exception, *, retry_in: float) -> None:
        """A source's polling or healing ended on a defect of ours; it begins again."""

    def only_not_found(self, server: str, *, times: int) -> None:
        """The API has only ever answered 404: the report may not exist on that server."""

    def quota_short(self, server: str, text: str) -> None:
        """The interval would use up the operation's calls of a day; `text` has the arithmetic."""

    def overrun(self, server: str, *, slots: int) -> None:
        """A poll took longer than the interval, so often."""

    def dropped(self, told: Mapping[str, Told]) -> None:
        """What `told` says was dropped is gone, whether the transaction then succeeds or not."""

    def committed(self, shard: int, told: Mapping[str, Told], *, seconds: float) -> None:
        """A transaction is on Kafka."""

    def commit_failed(self, shard: int, error: KafkaFailed, *, pending: int, retry_in: float) -> None:
        """A transaction or the taking of a shard failed."""

    def fenced_repeatedly(self, shard: int, *, times: int, seconds: float) -> None:
        """Fenced again and again while the group says the shard is ours."""

    def not_healed(self, unhealed: Unhealed) -> None:
        """A gap that waits was looked into, and waits on or is given up."""

    def restoring(self, shard: int, progress: Progress, *, seconds: float) -> None:
        """A shard's ledger is being read, since so many seconds."""

    def restored(self, shard: int, servers: Sequence[str], *, ids: int, seconds: float) -> None:
        """A shard was taken and its ledger read."""

    def cursor_ahead(self, server: str) -> None:
        """The ledger's cursor is later than our clock."""

    def unknown_sources(self, shard: int, servers: Sequence[str]) -> None:
        """The ledger's partition holds these servers that the settings lack; told at each restore, also if none."""

    def given_up(self, shard: int, servers: Sequence[str], *, pending: int) -> None:
        """A shard went elsewhere."""
