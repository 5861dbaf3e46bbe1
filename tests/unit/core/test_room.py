"""PENDING_LIMIT and the rows that wait for shards which went elsewhere: they must not silence what is polled here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from producer.clock import Moment
from producer.core.budget import Pendings
from producer.core.poller import Poller
from producer.core.ports import Told
from producer.core.source import Source
from producer.errors import PendingFull
from producer.model import Dropped, Rows, SourceFold
from producer.wolkvox.reader import RowReader
from tests.twins.manual_clock import ManualClock
from tests.twins.scripted_api import ScriptedApi
from tests.unit.core.samples import KEEP, WINDOW, a_row, at, fold, polled
from tests.unit.core.test_poller import BOGOTA


class Room:
    """Sources under one limit, and what was let go of each."""

    def __init__(self, limit: int, *servers: str) -> None:
        self.sources = {server: Source(server=server, keep=KEEP, window=WINDOW) for server in servers}
        self.let_go: dict[str, int] = {}
        self.pendings = Pendings(list(self.sources.values()), limit, on_dropped=self._dropped)

    def waits(self, server: str, ids: Iterable[str], moment: Moment, *, held: bool) -> None:
        """So many rows wait, brought when the source was ours; `held` if it still is."""
        source = self.sources[server]
        source.restore(SourceFold(), moment)
        polled(source, moment, ids)
        if not held:
            source.release()

    def _dropped(self, told: Mapping[str, Told]) -> None:
        for server, one in told.items():
            assert server not in self.let_go
            self.let_go[server] = one.dropped.elsewhere


def test_what_waits_for_a_shard_elsewhere_goes_when_room_is_needed_and_not_before() -> None:
    room = Room(10, "0001", "0002")
    room.waits("0001", "abcdef", at(0), held=False)
    room.waits("0002", "gh", at(1), held=True)
    room.pendings.make_room(2)
    assert (room.let_go, room.pendings.waiting()) == ({}, 8)
    room.pendings.make_room(3)
    assert (room.let_go, room.pendings.waiting()) == ({"0001": 6}, 2)


def test_what_waits_for_a_shard_of_ours_never_goes() -> None:
    room = Room(10, "0001", "0002")
    room.waits("0001", "abcdef", at(0), held=True)
    room.waits("0002", "gh", at(1), held=True)
    room.pendings.make_room(9)
    assert (room.let_go, room.pendings.waiting()) == ({}, 8)


def test_the_source_that_waits_longest_goes_first_and_whole_and_no_more_than_needed() -> None:
    room = Room(10, "0001", "0002", "0003")
    room.waits("0001", "abc", at(200), held=False)
    room.waits("0002", "def", at(100), held=False)
    room.waits("0003", "ghi", at(300), held=True)
    room.pendings.make_room(3)
    assert room.let_go == {"0002": 3}


def test_nothing_goes_in_vain() -> None:
    room = Room(10, "0001", "0002")
    room.waits("0001", "abc", at(0), held=False)
    room.waits("0002", "defg", at(1), held=True)
    room.pendings.make_room(7)
    assert (room.let_go, room.pendings.waiting()) == ({}, 7)


def test_a_source_that_was_let_go_is_as_in_a_new_process_when_it_comes_back() -> None:
    """The time of the rows that are gone must not count as covered, or nobody would be told that they are missing."""
    source = Source(server="0042", keep=KEEP, window=WINDOW)
    fresh = Source(server="0042", keep=KEEP, window=WINDOW)
    source.restore(fold(cursor=at(0)), at(10))
    for minute in range(20):
        polled(source, at(60 * minute + 20), [f"hit {minute}"])
    source.release()
    source.let_go(Dropped())
    for one in (source, fresh):
        one.restore(fold("a", cursor=at(0)), at(3000))
    (gap,), (same,) = (polled(one, at(3001), ["b"]).gaps for one in (source, fresh))
    assert gap == same
    assert (gap.start, gap.end) == (at(0).wall, at(3002 - WINDOW).wall)
    taken, dropped = source.take(10, Dropped()), Dropped()
    assert [hit["conn_id"] for portion in taken.portions for hit in portion.hits] == ["b"]
    assert dropped == Dropped()


def test_what_was_in_doubt_when_it_was_let_go_is_told_once_by_the_ledger() -> None:
    """Our last transaction may have landed: then the ledger has its ids, and a report that shows them brings no row."""
    source = Source(server="0042", keep=KEEP, window=WINDOW)
    source.restore(SourceFold(), at(0))
    polled(source, at(1), ["a"])
    source.doubt(source.take(10, Dropped()))
    source.release()
    source.let_go(Dropped())
    source.restore(fold("a", cursor=at(1)), at(100))
    assert source.unseen(Rows({"a": a_row("a"), "b": a_row("b")})).keys() == {"b"}


async def test_a_poll_that_would_not_fit_is_taken_once_the_others_rows_are_gone() -> None:
    room, clock = Room(3, "0001", "0042"), ManualClock()
    room.waits("0001", "abc", clock.now(), held=False)
    room.waits("0042", "", clock.now(), held=True)
    api = ScriptedApi(clock=clock)
    source = room.sources["0042"]
    poller = Poller(source=source, api=api, reader=RowReader(server="0042", zone=BOGOTA), budget=room.pendings)
    api.answers([a_row("d"), a_row("e")])
    assert (await poller.poll_once()).new == 2
    assert room.let_go == {"0001": 3}
    api.answers([a_row("f"), a_row("g")])
    with pytest.raises(PendingFull):
        await poller.poll_once()


def test_a_cursor_that_waits_alone_takes_no_room() -> None:
    room = Room(2, "0001", "0002")
    room.waits("0001", "", at(0), held=False)
    room.waits("0002", "ab", at(1), held=True)
    room.pendings.make_room(1)
    assert room.let_go == {}
