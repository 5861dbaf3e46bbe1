"""Hits that read otherwise than they were told: each version that a snapshot showed is told, in order, and once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from producer.clock import Moment
from producer.core.digests import NEVER_COMPARED, digests
from producer.core.harvest import Harvest, Recovery
from producer.core.source import Source
from producer.model import Dropped, Entry, Hit, Method, Rows, Version
from tests.unit.core.samples import (
    KEEP,
    a_hit,
    a_row,
    a_snapshot,
    a_source,
    an_entry,
    at,
    changes_of,
    commit,
    dropped_by,
    fold,
    forgotten,
    ids_of,
    polled,
    settle,
    take,
    taken_in,
)


def version(says: str, seen: Moment) -> Version:
    return Version(digests([a_hit("a", hit=says)])[0], seen.rfc3339())


def told(source: Source) -> list[str | None]:
    """What a transaction that succeeds says of the one hit."""
    return [says for _, says in changes_of(commit(source))]


def entry_of(says: str, seen: Moment) -> Entry:
    """The hit as another owner told it."""
    told = version(says, seen)
    return Entry(b"told/0042/of a", told.observed_at, ["a"], told.digest)


def a_source_that_told(says: str = "") -> Source:
    source = a_source()
    polled(source, at(0), a=says)
    commit(source)
    return source


def test_a_hit_that_reads_otherwise_is_a_change_once() -> None:
    source = a_source_that_told("")
    harvest = polled(source, at(300), a="SALE")
    assert (list(harvest.hits), list(harvest.changes)) == ([], ["a"])
    taken = commit(source)
    assert (ids_of(taken), changes_of(taken)) == ([], [("a", "SALE")])
    assert taken.first_observed == {"a": at(1).rfc3339()}
    assert not polled(source, at(600), a="SALE").changes


def test_back_and_forth_is_two_changes() -> None:
    source = a_source_that_told("")
    polled(source, at(300), a="SALE")
    assert told(source) == ["SALE"]
    polled(source, at(600), a="")
    assert told(source) == [""]


def test_each_version_is_told_in_order_after_kafka_was_away() -> None:
    source = a_source_that_told("")
    for number, says in enumerate(["SALE", "SALE", "", "OTHER"], start=1):
        polled(source, at(300 * number), a=says)
    assert len(source.pending) == 3
    assert told(source) == ["SALE", "", "OTHER"]
    assert len(source.pending) == 0


def test_a_change_of_a_row_that_still_waits_is_told_after_it() -> None:
    source = a_source()
    polled(source, at(0), a="")
    polled(source, at(300), a="SALE")
    taken = commit(source)
    assert (ids_of(taken), changes_of(taken), taken.first_observed) == (
        ["a"],
        [("a", "SALE")],
        {"a": at(1).rfc3339()},
    )
    assert not polled(source, at(600), a="SALE").changes


def test_a_change_goes_with_a_later_transaction_if_there_is_no_room() -> None:
    source = a_source()
    polled(source, at(0), a="")
    polled(source, at(300), a="SALE")
    polled(source, at(600), a="OTHER")
    first = take(source, 1)
    assert (ids_of(first), changes_of(first)) == (["a"], [])
    settle(source, first)
    second = take(source, 1)
    assert (changes_of(second), second.first_observed) == ([("a", "SALE")], {"a": at(1).rfc3339()})
    settle(source, second)
    assert told(source) == ["OTHER"]


def test_a_failed_transaction_loses_no_version() -> None:
    source = a_source()
    polled(source, at(0), a="")
    take(source)
    polled(source, at(300), a="SALE")
    take(source)
    assert (ids_of(again := take(source)), changes_of(again)) == (["a"], [("a", "SALE")])


def test_what_landed_in_a_commit_of_unknown_outcome_is_confirmed_whole() -> None:
    source = a_source_that_told("")
    polled(source, at(300), a="SALE")
    polled(source, at(600), a="")
    source.doubt(take(source))
    polled(source, at(900), a="SALE")
    landed = {"a": version("", at(601))}
    source.restore(fold("a", cursor=at(600), observed=at(1).rfc3339(), changed=landed), at(910))
    dropped = Dropped()
    taken = source.take(10, dropped)
    assert (changes_of(taken), dropped.confirmed, dropped.confirmed_changed) == ([("a", "SALE")], 2, 2)


def test_a_hit_and_its_change_that_landed_together_are_confirmed() -> None:
    source = a_source()
    polled(source, at(0), a="")
    polled(source, at(300), a="SALE")
    source.doubt(take(source))
    landed = {"a": version("SALE", at(301))}
    source.restore(fold("a", cursor=at(300), observed=at(1).rfc3339(), changed=landed), at(310))
    dropped = dropped_by(source)
    assert (dropped.confirmed, dropped.confirmed_changed, len(source.pending)) == (2, 1, 0)


def test_what_did_not_land_is_told_after_the_ledger_was_read_again() -> None:
    source = a_source_that_told("SALE")
    polled(source, at(300), a="")
    polled(source, at(600), a="SALE")
    source.doubt(take(source))
    source.restore(fold("a", cursor=at(0), observed=at(1).rfc3339()), at(610))
    assert told(source) == ["", "SALE"]


@pytest.mark.parametrize(("ledger_says", "changes"), [("VENTA EFECTIVA", []), ("SALE", ["VENTA EFECTIVA"])])
def test_a_change_that_came_while_nobody_looked_is_told_by_the_next_owner(ledger_says: str, changes: list[str]) -> None:
    source = a_source()
    source.restore(fold("a", cursor=at(0), changed={"a": version(ledger_says, at(1))}), at(100))
    polled(source, at(110), ["a"])
    assert told(source) == changes
    polled(source, at(400), ["a"])
    assert told(source) == []


def test_versions_that_another_owner_saw_are_his_to_tell() -> None:
    """What waits was shown before his last snapshot: he told a later version, or there was none."""
    source = a_source_that_told("")
    polled(source, at(300), a="SALE")
    source.restore(fold("a", cursor=at(600), changed={"a": version("OTHER", at(601))}), at(610))
    assert (dropped_by(source).duplicate, changes_of(take(source))) == (1, [])
    polled(source, at(620), a="SALE")
    assert told(source) == ["SALE"]


def test_a_hit_that_another_told_otherwise_before_it_was_shown_here_is_a_change() -> None:
    source = a_source()
    polled(source, at(300), a="SALE")
    source.restore(fold("a", cursor=at(0), observed=at(1).rfc3339()), at(310))
    taken = commit(source)
    assert (ids_of(taken), changes_of(taken), taken.first_observed) == ([], [("a", "SALE")], {"a": at(1).rfc3339()})


@pytest.mark.parametrize(
    ("ledger_says", "looked_at", "changes"),
    [("", 500, ["SALE"]), ("SALE", 500, []), ("", 640, []), ("", 200, ["SALE"])],
    ids=["in other words", "in these words", "after both snapshots", "before both"],
)
def test_what_waits_and_is_shown_again_is_told_of_the_later_snapshot_if_another_passed_the_first(
    ledger_says: str, looked_at: float, changes: list[str]
) -> None:
    """Its cursor went without these words: the first snapshot's were dropped, and it had not said them anew."""
    source = a_source()
    polled(source, at(300), a="SALE")
    polled(source, at(600), a="SALE")
    source.restore(replace(fold(cursor=at(looked_at)), hits=[entry_of(ledger_says, at(100))]), at(650))
    taken = take(source)
    assert [says for _, says in changes_of(taken)] == changes
    seen = [portion.harvest.observed_at for portion in taken.portions if portion.changes]
    assert seen == [hit["observed_at"] for portion in taken.portions for hit in portion.changes]
    assert seen == [at(601 if looked_at == 500 else 301).rfc3339() for _ in changes]
    settle(source, taken)
    assert (len(source.pending), bool(source.pending)) == (0, False)


def test_the_same_for_a_change_that_waits_and_whatever_took_the_place_of_the_snapshot() -> None:
    source = a_source_that_told("")
    polled(source, at(300), a="SALE")
    polled(source, at(600), a="SALE")
    polled(source, at(620), b="SALE")
    polled(source, at(640))
    polled(source, at(645))
    first = [entry_of("", at(0)), an_entry("c", at(400).rfc3339())]
    changed = {"a": version("NO SALE", at(400))}
    source.restore(replace(fold(cursor=at(500)), hits=first, changed=changed), at(650))
    taken = take(source)
    assert [(portion.harvest.observed_at, portion.harvest.cursor) for portion in taken.portions if portion.changes] == [
        (at(601).rfc3339(), None)
    ]
    assert (changes_of(taken), ids_of(taken)) == ([("a", "SALE")], ["b"])
    settle(source, taken)
    assert (len(source.pending), bool(source.pending)) == (0, False)


def test_what_says_otherwise_in_the_later_snapshot_is_told_as_it_was_there() -> None:
    source = a_source()
    polled(source, at(300), a="SALE")
    polled(source, at(600), a="NO SALE")
    source.restore(replace(fold(cursor=at(500)), hits=[entry_of("", at(100))]), at(650))
    assert told(source) == ["NO SALE"]


def test_only_the_last_words_that_wait_were_shown_again() -> None:
    """They are told, and those before them are not."""
    source = a_source()
    polled(source, at(100), a="")
    polled(source, at(300), a="SALE")
    polled(source, at(600), a="SALE")
    first, changed = entry_of("", at(50)), {"a": version("SALE", at(400))}
    source.restore(replace(fold(cursor=at(500)), hits=[first], changed=changed), at(650))
    assert told(source) == []


def test_what_an_answer_from_a_cache_shows_again_is_not_shown_later() -> None:
    """It is older than the last one, and says nothing."""
    source = a_source()
    polled(source, at(300), a="SALE")
    polled(source, at(600))
    polled(source, at(400), a="SALE")
    source.restore(replace(fold(cursor=at(350)), hits=[entry_of("", at(100))]), at(650))
    assert told(source) == []


def test_what_another_told_of_a_later_snapshot_is_the_last_word_although_his_cursor_is_not_there_yet() -> None:
    """His transaction was cut, since the way was slow; consumers go by `observed_at`, and ours is earlier."""
    source = a_source()
    polled(source, at(100), a="SALE")
    source.restore(replace(fold(cursor=at(50)), hits=[entry_of("", at(300))]), at(400))
    assert told(source) == []
    assert not polled(source, at(500), a="").changes


def test_a_superseded_dead_row_that_is_shown_again_is_told_of_the_later_snapshot() -> None:
    source = a_source()
    polled(source, at(0), ["a"], dead=["d"])
    polled(source, at(KEEP), dead=["d"])
    source.restore(fold(cursor=at(KEEP - 100)), at(KEEP + 5))
    taken = commit(source)
    assert (ids_of(taken), [row.key for portion in taken.portions for row in portion.dead]) == ([], ["d"])
    assert (len(source.pending), len(source.dead)) == (0, 1)


def test_who_never_catches_up_keeps_no_note_of_what_was_told() -> None:
    """A commit takes longer than a poll: something always waits."""
    source = a_source()
    polled(source, at(0), ["0"])
    taken = take(source)
    for number in range(1, 100):
        polled(source, at(10 * number), map(str, range(max(0, number - 5), number + 1)))
        settle(source, taken)
        taken = take(source)
    assert len(source.pending._shown) < 10


def test_a_superseded_hit_that_is_shown_again_is_told_of_the_later_snapshot() -> None:
    """A report that stands still: the other owner's word on it is not in the ledger, and the snapshot's cursor is."""
    source = a_source()
    polled(source, at(0), a="SALE")
    polled(source, at(KEEP), a="SALE")
    source.restore(fold(cursor=at(KEEP - 100)), at(KEEP + 5))
    taken = commit(source)
    assert [(hit["hit"], hit["observed_at"]) for portion in taken.portions for hit in portion.hits] == [
        ("SALE", at(KEEP + 1).rfc3339())
    ]
    assert (len(source.pending), len(source.hits)) == (0, 1)


def test_a_change_whose_hit_another_told_and_forgot_is_dropped_and_no_hit() -> None:
    source = a_source_that_told("")
    polled(source, at(300), a="SALE")
    source.restore(fold(cursor=at(100)), at(310))
    dropped = Dropped()
    taken = source.take(10, dropped)
    assert (taken.rows, dropped.duplicate, len(source.pending)) == (0, 1, 0)


def test_a_backlog_of_changes_that_another_owner_left_far_behind_is_superseded() -> None:
    source = a_source()
    polled(source, at(0), a="")
    polled(source, at(10), a="SALE")
    source.restore(fold(cursor=at(KEEP)), at(KEEP + 10))
    dropped = dropped_by(source)
    assert (dropped.superseded, len(source.pending)) == (2, 0)


def test_what_was_dropped_is_asked_for_again_although_its_bytes_are_known() -> None:
    source = a_source()
    polled(source, at(0), a="SALE")
    source.restore(fold(cursor=at(KEEP)), at(KEEP + 10))
    again(source, KEEP + 20, "NO SALE", answer=1)
    following = a_snapshot(at(KEEP + 30))
    following.answer = 2
    assert source.parsed_only(following)
    dropped = dropped_by(source)
    assert (dropped.superseded, dropped.duplicate, len(source.hits)) == (1, 1, 0)
    assert not source.parsed_only(following)


def test_a_change_leaves_the_ledger_with_its_hit() -> None:
    source = a_source_that_told("")
    polled(source, at(300), a="SALE")
    commit(source)
    polled(source, at(301 + KEEP))
    taken = take(source)
    assert forgotten(taken) == ["a"]
    assert taken.tombstones[1:] == [b"changed/0042/a"]
    settle(source, taken)
    polled(source, at(302 + KEEP), a="SALE")
    assert ids_of(take(source)) == ["a"]


def test_what_has_a_change_in_hand_does_not_leave() -> None:
    source = a_source_that_told("")
    polled(source, at(300), a="SALE")
    polled(source, at(302 + KEEP))
    assert forgotten(commit(source)) == []
    polled(source, at(2 * KEEP + 310))
    assert forgotten(commit(source)) == ["a"]


def again(source: Source, seconds: float, says: str, *, answer: int, parsed: list[str] | None = None) -> None:
    """A snapshot whose rows were parsed, or known by their bytes."""
    snapshot = a_snapshot(at(seconds), rows=1)
    snapshot.answer = answer
    rows = Rows({"a": a_row("a")}, parsed=parsed)
    known = source.known(snapshot, rows)
    hits = [{key: a_hit(key, hit=says) for key in found} for found in known]
    said = [dict(zip(found, digests(found.values()), strict=True)) for found in hits]
    source.add(snapshot, rows, hits={}, changes=source.changes(hits, said), dead={})


def test_a_row_that_is_known_by_its_bytes_is_not_read() -> None:
    source = a_source_that_told("")
    again(source, 300, "", answer=1)
    snapshot = a_snapshot(at(600))
    snapshot.answer = 2
    assert source.known(snapshot, Rows({"a": a_row("a")}, parsed=[])) == [{}]


@pytest.mark.parametrize(
    "why",
    ["restored", "released", "a poll failed", "failed, then nothing", "an id is shown twice", "not after that one"],
)
def test_a_row_that_is_known_by_its_bytes_is_read_if_the_last_answer_was_not_compared(why: str) -> None:
    source = a_source_that_told("")
    again(source, 300, "", answer=1)
    answer, snapshot = 2, a_snapshot(at(600))
    if why == "restored":
        source.restore(fold("a", cursor=at(300)), at(310))
    elif why == "released":
        source.release()
        source.restore(fold("a", cursor=at(300)), at(310))
    elif why == "a poll failed":
        snapshot.answer, answer = 2, 3
        source.known(snapshot, Rows({"a": a_row("a")}, parsed=[]))
    elif why == "failed, then nothing":
        # A 404 is no answer with rows, and has the number of the last one that was.
        snapshot.answer = (empty := a_snapshot(at(650))).answer = 2
        answer = 3
        source.known(snapshot, Rows({"a": a_row("a")}, parsed=[]))
        source.known(empty, Rows({}))
        source.add(empty, Rows({}), hits={}, dead={})
    elif why == "an id is shown twice":
        rows = Rows({"a": a_row("a")}, repeated=1, parsed=[])
        snapshot.answer, answer = 2, 3
        source.known(snapshot, rows)
        source.add(snapshot, rows, hits={}, dead={})
    else:
        answer = 3
    snapshot = a_snapshot(at(700))
    snapshot.answer = answer
    assert [list(found) for found in source.known(snapshot, Rows({"a": a_row("a")}, parsed=[]))] == [["a"]]


def shown_twice(source: Source, seconds: float, *says: str) -> list[str | None]:
    """A snapshot that has the id several times; the changes that it brings."""
    snapshot, (first, *others) = a_snapshot(at(seconds)), says
    rows = Rows({"a": a_row("a")}, repeated=len(others), further=[{"a": a_row("a")} for _ in others])

    def hit(one: str) -> dict[str, Hit]:
        return {"a": a_hit("a", observed_at=snapshot.received.rfc3339(), hit=one)}

    again = [hit(one) for one in (first, *others)] if source.known(snapshot, rows) else []
    said = [dict(zip(found, digests(found.values()), strict=True)) for found in again]
    harvest = source.add(snapshot, rows, hits={} if again else hit(first), changes=source.changes(again, said), dead={})
    return [one["hit"] for one in harvest.changes.values()]


def test_an_id_that_is_shown_several_times_has_changed_only_if_none_of_its_rows_is_as_it_was_told() -> None:
    for told_before in (True, False):
        source = a_source()
        shown_twice(source, 0, "", "SALE")
        if told_before:
            commit(source)
        assert shown_twice(source, 300, "SALE", "") == []
        assert shown_twice(source, 600, "SALE", "OTHER") == ["SALE"]
        assert shown_twice(source, 900, "OTHER", "SALE") == []


def test_an_answer_that_is_older_than_the_last_one_takes_no_change_back() -> None:
    source = a_source_that_told("")
    polled(source, at(300), a="SALE")
    commit(source)
    cached = a_snapshot(at(200), at(310))
    cached.age = 100
    assert not taken_in(source, cached, a="").changes
    assert not polled(source, at(600), a="SALE").changes


def test_what_changed_while_it_was_being_forgotten_is_new_in_the_next_snapshot() -> None:
    source = a_source_that_told("")
    polled(source, at(KEEP + 10))
    snapshot, rows = a_snapshot(at(KEEP + 20)), Rows({"a": a_row("a")})
    (found,) = source.known(snapshot, rows)
    assert forgotten(commit(source)) == ["a"]
    hits = {key: a_hit(key, hit="SALE") for key in found}
    assert source.changes([hits], [dict(zip(hits, digests(hits.values()), strict=True))]) == {}
    source.add(snapshot, rows, hits={}, dead={})
    polled(source, at(KEEP + 30), a="SALE")
    assert ids_of(take(source)) == ["a"]


def test_a_recovered_hit_that_waits_is_not_changed_by_the_report_that_words_it_otherwise() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    recovery = Recovery(gap=None, method=Method.HISTORY, found=1)
    source.pending.add(
        Harvest(at(10), at(11), at(11).rfc3339(), {"b": a_hit("b")}, {}, {}, [], cursor=None, recovery=recovery)
    )
    polled(source, at(300), b="otherwise", a="otherwise")
    assert changes_of(take(source)) == [("a", "otherwise")]


def test_what_another_owner_recovered_meanwhile_is_told_and_has_not_changed() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    commit(source)
    polled(source, at(300), b="as the live report words it")
    recovered = Entry(b"told/0042/recovered", "earlier", ["b"], NEVER_COMPARED)
    source.restore(replace(fold("a", cursor=at(0)), hits=[an_entry("a", "earlier"), recovered]), at(310))
    taken = take(source)
    assert (ids_of(taken), changes_of(taken)) == ([], [])
