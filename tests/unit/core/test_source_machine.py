"""Whatever happens to polls, commits, owners and processes: each hit ends exactly once in the committed log.

Two instances share one API and one ledger. Each polls, commits (it succeeds, fails, or nobody knows), loses the shard
to the other, or dies. The log is what a read_committed reader sees.
"""

from __future__ import annotations

import orjson
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from producer.clock import parse_rfc3339
from producer.core.fold import Fold
from producer.core.ports import Told
from producer.core.source import Source
from producer.core.taken import Taken, Written
from producer.core.transaction import Transaction
from producer.model import Dropped, Outgoing, SourceFold, Topic, each
from tests.unit.core.samples import KEEP, SERVER, WINDOW, a_snapshot, at, taken_in

REACH = 1200.0
"""Seconds that a hit stays in the report: more than WOLKVOX_WINDOW promises, much less than DEDUP_WINDOW."""


ROUNDS = st.tuples(
    st.sampled_from([60.0, 300.0, 300.0, 580.0, 1700.0, 4000.0]),
    st.integers(0, 2),
    st.sampled_from(["ok", "ok", "ok", "away", "lost", "landed, but unknown"]),
    st.integers(1, 6),
    st.booleans(),
)
"""Seconds, hits closed, what becomes of the commit, the rows it may have, and whether a zombie polls as well."""


class Instance:
    """One process: its source's state, and what it counted."""

    def __init__(self) -> None:
        self.source = Source(server=SERVER, keep=KEEP, window=WINDOW)
        self.harvested = 0
        self.published = 0
        self.dropped = Dropped()
        self.owns = False
        self.polls = False
        self.polled = False


class OneLedger(RuleBasedStateMachine):
    """The model: hits by the time they were closed, the committed records, and what was dropped and counted."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.closed: dict[str, float] = {}
        self.log: list[Outgoing] = []
        self.instances = [Instance(), Instance()]
        self.superseded: set[str] = set()

    @initialize()
    def begin(self) -> None:
        self._take_over(0)

    @rule(rounds=st.lists(ROUNDS, min_size=1, max_size=6))
    def some_rounds_go_by(self, rounds: list[tuple[float, int, str, int, bool]]) -> None:
        """Time, hits, polls (also by one that lost the shard and does not know it yet), a commit."""
        for seconds, hits, outcome, room, zombie in rounds:
            self.now += seconds / 2
            self._close(hits)
            self.now += seconds / 2
            for one in self.instances:
                # Its first poll comes at once, while it owns the shard.
                if one.owns or (one.polls and one.polled and zombie):
                    self._poll(one)
            self._commit(outcome, room)

    @rule(which=st.integers(0, 1), every=st.sampled_from([300.0, 590.0]))
    def a_long_shift_goes_well(self, which: int, every: float) -> None:
        """Long enough to forget."""
        self._take_over(which)
        for _ in range(int(3 * 3600 / every)):
            self.now += every
            self._close(1)
            self._poll(self.instances[which])
            self._commit("ok", 6)

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
        self.instances[which] = Instance()
        if dead.owns:
            self._take_over(which)

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
        """What nobody told was closed in a gap, or dropped and counted; also what died with a process."""
        for number in (0, 1):
            self._take_over(number)
            self._drain(self.instances[number])
        cursors = [parse_rfc3339(value["requested_at"]) for value in self._values(b"cursor/0042")]
        gaps = [(parse_rfc3339(value["from"]), parse_rfc3339(value["to"])) for value in self._values(b"0042")]
        told = set(self._told())
        for key, closed in self.closed.items():
            when = at(closed).wall
            if key not in told and key not in self.superseded and cursors and min(cursors) <= when <= max(cursors):
                assert any(start <= when <= end for start, end in gaps), key

    def _close(self, hits: int) -> None:
        for _ in range(hits):
            self.closed[f"hit {len(self.closed)}"] = self.now

    def _poll(self, one: Instance) -> None:
        shown = [key for key, closed in self.closed.items() if self.now - closed <= REACH]
        harvest = taken_in(one.source, a_snapshot(at(self.now)), shown)
        one.harvested += len(harvest.hits)
        one.polled = True
        self.now += 1

    def _commit(self, outcome: str, room: int) -> None:
        for one in self.instances:
            if not one.owns or not one.source.pending or outcome == "away":
                continue
            taken = self._taken(one, room)
            if outcome == "ok":
                one.source.settle(taken, self._write(taken))
                one.published += taken.rows
                continue
            if outcome == "landed, but unknown":
                self._write(taken)
            one.source.doubt(taken)
            self._restore(one)

    def _values(self, key: bytes) -> list[dict[str, str]]:
        return [orjson.loads(record.value) for record in self.log if record.key == key and record.value is not None]

    def _taken(self, one: Instance, room: int) -> Taken:
        before = set(one.source.pending.hits)
        dropped = Dropped()
        taken = one.source.take(room, dropped)
        one.dropped.confirmed += dropped.confirmed
        one.dropped.duplicate += dropped.duplicate
        one.dropped.superseded += dropped.superseded
        if dropped.superseded:
            self.superseded |= before - one.source.pending.hits.keys()
        return taken

    def _write(self, taken: Taken) -> Written:
        transaction = Transaction([taken], {SERVER: Told()}, limit=1_000_000, now=at(self.now).wall)
        self.log += each(transaction.records())
        return transaction.written[SERVER]

    def _told(self) -> list[str]:
        return [record.key.decode() for record in self.log if record.topic is Topic.HITS]

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
            one.source.settle(taken, self._write(taken))
            one.published += taken.rows


TestOneLedger = OneLedger.TestCase
TestOneLedger.settings = settings(max_examples=80, stateful_step_count=20, deadline=None, derandomize=True)
