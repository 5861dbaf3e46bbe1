"""What waits for Kafka: oldest first, cut to the room there is, gone only when it is on Kafka."""

from __future__ import annotations

from dataclasses import replace

from producer.core.harvest import Harvest
from producer.core.pending import Pending
from producer.model import Cursor, Gap, GapKind, Reading, Rows, Snapshot
from tests.unit.core.samples import a_dead_row, a_hit, at


def a_harvest(seconds: float, hits: str = "", dead: str = "", changes: str = "") -> Harvest:
    moment = at(seconds)
    return Harvest(
        requested=moment,
        received=moment,
        observed_at=moment.rfc3339(),
        hits={key: a_hit(key) for key in hits},
        changes={key: a_hit(key) for key in changes},
        dead={key: a_dead_row(key) for key in dead},
        gaps=[],
        cursor=Cursor(moment.wall, None),
    )


def test_what_waits_shows_no_personal_data_in_the_text_of_an_error() -> None:
    hit, dead = a_hit("a"), replace(a_dead_row("x"), row={"telephone": "3000000042"})
    hit["telephone"] = "3000000042"
    harvest = replace(a_harvest(0), hits={"a": hit}, dead={"x": dead})
    snapshot = Snapshot("0042", at(0), at(0), rows=[hit])
    portions = list(waiting(harvest).portions(9))
    shown = repr([harvest, portions, dead, snapshot, Rows({"a": hit}), Reading({"a": hit}, {"x": dead})])
    assert "telephone" not in shown
    assert "3000000042" not in shown


def waiting(*harvests: Harvest) -> Pending:
    pending = Pending()
    for harvest in harvests:
        pending.add(harvest)
    return pending


def cut(pending: Pending, room: int) -> list[tuple[str, str, bool]]:
    return [
        ("".join(hit["conn_id"] for hit in one.hits), "".join(row.key for row in one.dead), one.last)
        for one in pending.portions(room)
    ]


def test_rows_that_wait_are_counted_and_known_by_id() -> None:
    pending = waiting(a_harvest(0, "ab", "x"), a_harvest(1, "c"))
    assert (len(pending), set(pending.hits), pending.dead) == (4, set("abc"), {"x"})


def test_a_snapshot_without_rows_still_waits_for_its_cursor() -> None:
    pending = waiting(a_harvest(0))
    assert len(pending) == 0
    assert pending
    assert not waiting()


def requested(pending: Pending) -> list[float]:
    return [harvest.requested.wall - at(0).wall for harvest in pending.harvests()]


def test_a_snapshot_without_news_takes_the_place_of_one_that_waits_without_any() -> None:
    assert requested(waiting(*map(a_harvest, range(1000)))) == [999]
    assert requested(waiting(a_harvest(0), a_harvest(1, "a"), a_harvest(2), a_harvest(3))) == [0, 1, 3]


def test_what_has_rows_or_a_gap_or_was_the_beginning_keeps_its_place() -> None:
    gap = Gap("0042", 0.0, 1.0, GapKind.UNPOLLED, certain=False)
    for first in (a_harvest(0, "a"), a_harvest(0, "", "x"), replace(a_harvest(0), gaps=[gap])):
        assert requested(waiting(first, a_harvest(1))) == [0, 1]
        assert requested(waiting(a_harvest(-1), first)) == [-1, 0]
    assert requested(waiting(replace(a_harvest(0), begins=True), a_harvest(1), a_harvest(2))) == [0, 2]


def test_a_snapshot_that_neither_brings_anything_nor_vouches_for_any_time_does_not_wait() -> None:
    silent = replace(a_harvest(1), cursor=None)
    assert not waiting(silent)
    assert requested(waiting(a_harvest(0), silent)) == [0]


def test_a_snapshot_that_made_way_while_it_was_committed_takes_nothing_of_its_successor_along() -> None:
    pending = waiting(a_harvest(0))
    (portion,) = pending.portions(9)
    pending.add(a_harvest(1))
    pending.settle(portion)
    assert requested(pending) == [1]


def test_the_oldest_snapshot_goes_first() -> None:
    assert cut(waiting(a_harvest(0, "ab"), a_harvest(1, "c", "x")), 10) == [("ab", "", True), ("c", "x", True)]


def test_a_snapshot_that_does_not_fit_is_cut_and_nothing_newer_overtakes_it() -> None:
    pending = waiting(a_harvest(0, "abc", "x"), a_harvest(1, "d"), a_harvest(2))
    assert cut(pending, 2) == [("ab", "", False)]
    assert cut(pending, 3) == [("abc", "", False)]
    assert cut(pending, 4) == [("abc", "x", True), ("", "", False)]


def test_without_room_only_what_has_no_rows_goes() -> None:
    assert cut(waiting(a_harvest(0), a_harvest(1, "a"), a_harvest(2)), 0) == [("", "", True), ("", "", False)]


def test_settled_rows_are_gone_and_the_rest_of_their_snapshot_stays() -> None:
    pending = waiting(a_harvest(0, "abc"), a_harvest(1, "d"))
    for portion in list(pending.portions(2)):
        pending.settle(portion)
    assert (set(pending.hits), cut(pending, 9)) == (set("cd"), [("c", "", True), ("d", "", True)])


def test_a_snapshot_settled_whole_leaves_the_queue() -> None:
    pending = waiting(a_harvest(0, "a"), a_harvest(1))
    for portion in list(pending.portions(9)):
        pending.settle(portion)
    assert not pending


def test_of_a_hit_that_changes_while_it_waits_the_last_version_is_known() -> None:
    pending = waiting(a_harvest(0, "ab"), a_harvest(1, changes="a"), a_harvest(2, changes="a"))
    first, second, third = pending.harvests()
    assert len(pending) == 4
    assert (pending.last("a"), pending.last("b")) == (third.changes["a"], first.hits["b"])
    last = third.changes["a"]
    pending.drop(third, changes=["a"])
    pending.list_changes()
    assert pending.last("a") is second.changes["a"] is not last
    for portion in list(pending.portions(9)):
        pending.settle(portion)
    assert (len(pending), pending.changes, pending.hits) == (0, {}, {})
    assert second.changes == {}


def test_what_changed_is_counted_in_a_portion_and_cut_as_the_hits_are() -> None:
    pending = waiting(a_harvest(0, "a", "x", changes="bc"))
    (portion,) = pending.portions(2)
    assert ([hit["conn_id"] for hit in portion.changes], portion.rows, portion.last) == (["b"], 2, False)
    pending.settle(portion)
    (rest,) = pending.portions(9)
    assert ([hit["conn_id"] for hit in rest.changes], rest.rows, rest.last) == (["c"], 2, True)


def test_dropped_rows_wait_no_longer_and_their_cursor_still_does() -> None:
    harvest = a_harvest(0, "ab", "x")
    pending = waiting(harvest)
    assert pending.drop(harvest, ["a", "b"], dead=["x"]) == 3
    assert (len(pending), cut(pending, 9)) == (0, [("", "", True)])
