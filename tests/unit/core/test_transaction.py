"""The records of a transaction."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from producer.clock import rfc3339
from producer.core.fold import Fold
from producer.core.ports import Told
from producer.core.source import Source
from producer.core.taken import Taken
from producer.core.transaction import Transaction
from producer.model import Outgoing, Topic, each
from tests.twins.told import ids_in
from tests.unit.core.samples import KEEP, SERVER, a_source, at, commit, polled, settle, take

LIMIT = 1_048_588


def records_of(taken: Taken, told: Told | None = None, *, limit: int = LIMIT) -> list[Outgoing]:
    transaction = Transaction([taken], {SERVER: told or Told()}, limit=limit, now=at(60).wall)
    return list(each(transaction.records()))


def keys(records: Iterable[Outgoing], topic: Topic) -> list[bytes]:
    return [record.key for record in records if record.topic is topic]


def a_full_source() -> Source:
    """Old ids to let go, new hits, a dead row and a gap, all in one transaction."""
    source = a_source()
    polled(source, at(0), ["old"], dead=["olddead"])
    commit(source)
    for hit in polled(source, at(KEEP + 1), ["a", "b"], dead=["x"]).hits.values():
        hit["occurred_at"] = rfc3339(at(KEEP).wall)
    return source


def test_a_transaction_holds_events_and_the_ledger_records_that_say_so() -> None:
    told = Told()
    records = records_of(take(a_full_source()), told)
    assert keys(records, Topic.HITS) == [b"a", b"b"]
    assert keys(records, Topic.DEAD_LETTER) == [b"x"]
    assert keys(records, Topic.COVERAGE) == [b"0042"]
    kinds = [key.split(b"/")[0] for key in keys(records, Topic.LEDGER)]
    assert kinds == [b"told", b"dead", b"told", b"dead", b"cursor"]
    told_of, dead, *_ = [orjson.loads(one.value or b"null") for one in records if one.topic is Topic.LEDGER]
    assert (told_of["ids"], dead["ids"]) == (["a", "b"], ["x"])
    assert (told.published, told.dead_lettered, len(told.gaps), told.delays.total()) == (2, 1, 1, 2)


def test_the_cursor_is_the_last_record() -> None:
    assert records_of(take(a_full_source()))[-1].key == b"cursor/0042"


def test_ids_that_are_let_go_are_tombstones_and_no_others() -> None:
    source = a_full_source()
    old = [entry.key for window in (source.hits, source.dead) for entry in window.expired(at(2 * KEEP))]
    assert len(old) == 2
    assert [record.key for record in records_of(take(source)) if record.value is None] == old


def test_the_ledger_of_a_transaction_is_what_memory_becomes() -> None:
    source = a_full_source()
    taken = take(source)
    fold = Fold()
    fold.apply((record.key, record.value) for record in records_of(taken) if record.topic is Topic.LEDGER)
    settle(source, taken)
    found = fold.sources()[SERVER]
    assert (set(ids_in(found.hits)), set(ids_in(found.dead)), found.cursor) == (
        set(source.hits),
        set(source.dead),
        taken.cursor,
    )


def test_ids_in_the_ledger_carry_when_they_were_first_seen() -> None:
    source = a_source()
    polled(source, at(0), ["a"])
    polled(source, at(300), ["a", "b"])
    fold = Fold()
    fold.apply((one.key, one.value) for one in records_of(take(source)) if one.topic is Topic.LEDGER)
    assert ids_in(fold.sources()[SERVER].hits) == {"a": at(1).rfc3339(), "b": at(301).rfc3339()}


def test_delays_run_from_occurred_to_now() -> None:
    source, told = a_source(), Told()
    polled(source, at(0), ["a"])
    records_of(take(source), told)
    assert told.delays == {60.0: 1}


def test_a_hit_without_a_date_has_no_delay() -> None:
    source, told = a_source(), Told()
    polled(source, at(0), ["a"]).hits["a"]["occurred_at"] = None
    records_of(take(source), told)
    assert (told.published, dict(told.delays)) == (1, {})


def test_what_was_older_than_the_report_when_it_was_first_seen_did_not_wait_for_us() -> None:
    """A chat carries the time of its opening, and may be closed as a hit a day later."""
    source, told = a_source(), Told()
    ages = {"chat": 19 * 3600, "hour": 3600, "older": 3601, "fresh": 60, "ahead": -5}
    hits = polled(source, at(0), ages).hits
    seen = at(1).wall  # when the snapshot was received
    for name, age in ages.items():
        hits[name]["occurred_at"] = rfc3339(seen - age)
    records_of(take(source), told)
    now = 1_768_780_860.0
    assert dict(told.delays) == {now - (seen - ages[name]): 1 for name in ("hour", "fresh", "ahead")}
    assert told.published == 5


def test_a_hit_that_waited_long_for_kafka_is_counted_with_all_that_time() -> None:
    source, told = a_source(), Told()
    polled(source, at(-20 * 3600), ["early"]).hits["early"]["occurred_at"] = rfc3339(at(-20 * 3600).wall)
    polled(source, at(0), ["late"])
    records_of(take(source), told)
    assert dict(told.delays) == {20 * 3600 + 60.0: 1, 60.0: 1}


def a_source_with_a_hit_too_large() -> Source:
    source = a_source()
    polled(source, at(0), ["a", "huge", "z"]).hits["huge"]["hit"] = "V" * 20_000
    return source


def test_a_hit_that_is_refused_becomes_a_dead_letter_and_costs_its_neighbours_nothing() -> None:
    told = Told()
    records = records_of(take(a_source_with_a_hit_too_large()), told, limit=10_000)
    assert keys(records, Topic.HITS) == [b"a", b"z"]
    (letter,) = [orjson.loads(record.value or b"") for record in records if record.topic is Topic.DEAD_LETTER]
    assert letter["reason"] == "too_large"
    assert (told.published, told.dead_lettered) == (2, 1)


def test_a_hit_that_is_refused_is_a_dead_letter_once() -> None:
    source = a_source_with_a_hit_too_large()
    taken = take(source)
    records = records_of(taken, limit=10_000)
    values = [orjson.loads(record.value or b"") for record in records if record.key.startswith(b"told/")]
    assert [(value["outcome"], value["ids"]) for value in values] == [
        ("published", ["a", "z"]),
        ("dead_lettered", ["huge"]),
    ]
    settle(source, taken)
    polled(source, at(300), ["a", "z"], huge="V" * 20_000)
    assert take(source).rows == 0


def test_the_letter_of_a_refused_hit_holds_the_row_not_our_fields() -> None:
    source = a_source()
    hit = polled(source, at(0), ["a"]).hits["a"]
    hit["hit"] = "\ud800"
    hit["extra"] = {"agent": "7"}
    (letter,) = [one for one in records_of(take(source)) if one.topic is Topic.DEAD_LETTER]
    row = orjson.loads(letter.value or b"")["row"]
    assert (row["agent"], row["conn_id"], row["hit"]) == ("7", "a", "\ufffd")
    assert row.keys().isdisjoint({"occurred_at", "observed_at", "server", "extra"})


def test_sources_of_a_shard_share_a_transaction_and_count_apart() -> None:
    first, second = a_source(), a_source()
    second.server = "0043"
    polled(first, at(0), ["a"])
    polled(second, at(0), ["b", "c"])
    told = {"0042": Told(), "0043": Told()}
    records = list(each(Transaction([take(first), take(second)], told, limit=LIMIT, now=at(60).wall).records()))
    assert keys(records, Topic.HITS) == [b"a", b"b", b"c"]
    assert (told["0042"].published, told["0043"].published) == (1, 2)


def test_records_are_made_one_by_one() -> None:
    source = a_source()
    polled(source, at(0), ["a", "b"])
    told = Told()
    records = Transaction([take(source)], {SERVER: told}, limit=LIMIT, now=at(60).wall).records()
    next(iter(records))
    assert told.published < 2


def test_a_change_is_an_event_of_its_own_with_its_record_of_the_ledger() -> None:
    source, told = a_source(), Told()
    polled(source, at(0), a="", b="")
    commit(source)
    polled(source, at(300), a="SALE", b="")
    taken = take(source)
    records = records_of(taken, told)
    (event,) = [record for record in records if record.topic is Topic.CHANGES]
    value = orjson.loads(event.value or b"")
    assert (event.key, value["hit"], value["observed_at"]) == (b"a", "SALE", at(301).rfc3339())
    assert value["first_observed_at"] == at(1).rfc3339()
    assert keys(records, Topic.HITS) == []
    assert keys(records, Topic.LEDGER) == [b"changed/0042/a", b"cursor/0042"]
    assert (told.published, told.changed, told.dead_lettered, dict(told.delays)) == (0, 1, 0, {})


def test_a_change_that_is_refused_is_a_dead_letter_once_and_its_id_stays_told() -> None:
    source, told = a_source(), Told()
    polled(source, at(0), a="")
    commit(source)
    huge = "V" * 20_000
    polled(source, at(300), a=huge)
    taken = take(source)
    records = records_of(taken, told, limit=10_000)
    assert (keys(records, Topic.CHANGES), told.changed, told.dead_lettered) == ([], 0, 1)
    (done,) = [record for record in records if record.key == b"changed/0042/a"]
    assert orjson.loads(done.value or b"")["outcome"] == "dead_lettered"
    settle(source, taken)
    polled(source, at(600), a=huge)
    assert take(source).rows == 0
    assert "a" in source.hits


def test_the_ledger_of_a_transaction_with_changes_is_what_memory_becomes() -> None:
    source = a_source()
    polled(source, at(0), a="", b="")
    polled(source, at(300), a="SALE", b="")
    polled(source, at(600), a="OTHER", b="")
    taken, fold = take(source), Fold()
    fold.apply((one.key, one.value) for one in records_of(taken) if one.topic is Topic.LEDGER)
    settle(source, taken)
    another = a_source()
    another.restore(fold.sources()[SERVER], at(700))
    assert {name: another.hits.version(name) for name in "ab"} == {name: source.hits.version(name) for name in "ab"}
