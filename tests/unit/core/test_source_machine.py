"""Whatever happens to polls, commits, owners and processes: each hit ends exactly once in the committed log.

Two instances share one API and one ledger. Each polls, commits (it succeeds, fails, or nobody knows), loses the shard
to the other, or dies. The log is what a read_committed reader sees.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from producer.ledger import Fold
from producer.model import Outgoing, Topic
from producer.outgoing import Transaction
from producer.ports import Told
from producer.source import Dropped, Source, SourceFold, Taken
from tests.unit.core.samples import KEEP, SERVER, WINDOW, a_snapshot, at, taken_in

REACH = 1200.0
"""Seconds that a hit stays in the report: more than WOLKVOX_WINDOW promises, much less than DEDUP_WINDOW."""


class Instance:
    """One process: its source's state, and what it counted."""

    def __init__(self) -> None:
        self.source = Source(server=SERVER, keep=KEEP, window=WINDOW)
        self.harvested = 0
        self.published = 0
        self.dropped = Dropped()
        self.owns = False
        self.polls = False


class OneLedger(RuleBasedStateMachine):
    """The model: hits by the time they were closed, the committed records, and the ids that died with a process."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.closed: dict[str, float] = {}
        self.shown: set[str] = set()
        self.lost: set[str] = set()
        self.log: list[Outgoing] = []
        self.instances = [Instance(), Instance()]
        self.superseded: set[str] = set()

    @initialize()
    def begin(self) -> None:
        self._take_over(0)

    @rule(seconds=st.sampled_from([1.0, 60.0, 300.0, 900.0, 3000.0, 8000.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.now += seconds

    @rule(hits=st.integers(1, 3))
    def hits_are_closed(self, hits: int) -> None:
        for _ in range(hits):
            self.closed[f"hit {len(self.closed)}"] = self.now

    @rule(which=st.integers(0, 1))
    def poll(self, which: int) -> None:
        """Also by one that lost the shard and does not know it yet."""
        one = self.instances[which]
        if not one.polls:
            return
        self.now += 1
        shown = [key for key, closed in self.closed.items() if self.now - closed <= REACH]
        self.shown.update(shown)
        harvest = taken_in(one.source, a_snapshot(at(self.now - 1)), shown)
        one.harvested += len(harvest.hits)

    @rule(room=st.integers(1, 6), outcome=st.sampled_from(["ok", "ok", "lost", "landed, but unknown"]))
    def commit(self, room: int, outcome: str) -> None:
        for one in self.instances:
            if not one.owns or not one.source.pending:
                continue
            taken = self._taken(one, room)
            if outcome == "ok":
                self._write(taken)
                one.source.settle(taken)
                one.published += taken.rows
                continue
            if outcome == "landed, but unknown":
                self._write(taken)
            one.source.doubt(taken)
            self._restore(one)

    @rule(which=st.integers(0, 1))
    def the_other_takes_over(self, which: int) -> None:
        self._take_over(which)

    @rule(which=st.integers(0, 1))
    def a_zombie_is_fenced(self, which: int) -> None:
        """It took records for a transaction that can't land."""
        one = self.instances[which]
        if one.polls and not one.owns and one.source.pending:
            one.source.doubt(self._taken(one, 6))

    @rule(which=st.integers(0, 1))
    def a_zombie_learns_that_the_shard_is_gone(self, which: int) -> None:
        one = self.instances[which]
        if not one.owns:
            one.polls = False
            one.source.release()

    @rule(which=st.integers(0, 1))
    def a_process_is_killed(self, which: int) -> None:
        dead = self.instances[which]
        self.lost |= dead.source.pending.hits
        self.instances[which] = Instance()
        if dead.owns:
            self._take_over(which)

    @precondition(lambda self: any(one.source.pending for one in self.instances))
    @rule()
    def everything_waiting_is_committed(self) -> None:
        for number in (0, 1):
            self._take_over(number)
            self._drain(self.instances[number])

    @invariant()
    def no_hit_is_told_twice(self) -> None:
        told = self._told()
        assert len(told) == len(set(told))

    @invariant()
    def no_gap_is_told_twice(self) -> None:
        gaps = [record.value for record in self.log if record.topic is Topic.COVERAGE]
        assert len(gaps) == len(set(gaps))

    @invariant()
    def the_counters_add_up(self) -> None:
        for one in self.instances:
            drop = one.dropped
            gone = one.published + drop.confirmed + drop.duplicate + drop.superseded
            assert one.harvested == gone + len(one.source.pending)

    def teardown(self) -> None:
        """At the end nothing that a snapshot showed is missing, unless it died with a process or was counted."""
        for number in (0, 1):
            self._take_over(number)
            self._drain(self.instances[number])
        assert self.shown - set(self._told()) <= self.lost | self.superseded

    def _taken(self, one: Instance, room: int) -> Taken:
        before = set(one.source.pending.hits)
        dropped = Dropped()
        taken = one.source.take(room, dropped)
        one.dropped.confirmed += dropped.confirmed
        one.dropped.duplicate += dropped.duplicate
        one.dropped.superseded += dropped.superseded
        if dropped.superseded:
            self.superseded |= before - one.source.pending.hits
        return taken

    def _write(self, taken: Taken) -> None:
        told = {SERVER: Told()}
        self.log += Transaction([taken], told, limit=1_000_000, now=at(self.now).wall).records()

    def _told(self) -> list[bytes]:
        return [record.key.decode() for record in self.log if record.topic is Topic.HITS]  # type: ignore[misc]

    def _take_over(self, which: int) -> None:
        one, other = self.instances[which], self.instances[1 - which]
        other.owns = False
        one.owns = one.polls = True
        self._restore(one)

    def _restore(self, one: Instance) -> None:
        fold = Fold()
        fold.apply((record.key, record.value) for record in self.log if record.topic is Topic.LEDGER)
        source = fold.sources().get(SERVER)
        one.source.restore(source or SourceFold(), at(self.now))

    def _drain(self, one: Instance) -> None:
        while one.source.pending:
            taken = self._taken(one, 6)
            self._write(taken)
            one.source.settle(taken)
            one.published += taken.rows


TestOneLedger = OneLedger.TestCase
TestOneLedger.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
