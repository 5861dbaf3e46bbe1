"""Which of the rows found are to be told."""

from __future__ import annotations

from producer.clock import rfc3339
from producer.model import Hit, ToldSince
from producer.recovery.found import Judged, judged
from tests.unit.core.samples import a_hit

NOON = 1_768_737_600.0


def dated(conn_id: str, moment: float | None) -> Hit:
    one = a_hit(conn_id)
    one["occurred_at"] = None if moment is None else rfc3339(moment)
    return one


HITS = {"told": dated("told", NOON), "new": dated("new", NOON), "undated": dated("undated", None)}


def judge(begins: float | None, *, accept_unknown: bool = False) -> Judged:
    return judged(HITS, ToldSince(frozenset({"told", "another"}), begins), accept_unknown=accept_unknown)


def test_what_the_topic_has_is_told_and_the_rest_is_new() -> None:
    result = judge(None)
    assert (set(result.told), set(result.new), set(result.unknown)) == ({"told"}, {"new", "undated"}, set())


def test_of_what_is_older_than_the_topic_nobody_knows() -> None:
    result = judge(NOON + 1)
    assert (set(result.told), set(result.new), set(result.unknown)) == ({"told"}, set(), {"new", "undated"})


def test_of_what_has_no_date_nobody_knows_once_something_was_deleted() -> None:
    assert (set(judge(NOON).new), set(judge(NOON).unknown)) == ({"new"}, {"undated"})


def test_the_unknown_may_be_accepted() -> None:
    assert set(judge(NOON + 1, accept_unknown=True).new) == {"new", "undated"}
