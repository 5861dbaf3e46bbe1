"""The audit of a run finds whatever it is there for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson
import pytest

from producer.clock import rfc3339
from producer.demo.simulator.callcentre import SimulatedHit
from tests.chaos.verdict import Shown, Verdict, verdict
from tests.integration.service.audit import Audit, Record

SERVER = "0042"


def a_record(identity: str, key: str, value: object) -> Record:
    return Record(0, 0, 0, key, orjson.dumps(value), {"ce_id": identity.encode()})


def an_event(conn_id: str, hit: str = "SALE", *, observed_at: float = 0.0) -> Record:
    value = {"conn_id": conn_id, "hit": hit, "observed_at": rfc3339(observed_at)}
    return a_record(f"{SERVER}/{conn_id}", conn_id, value)


def a_change(conn_id: str, hit: str, at: float) -> Record:
    value = {"conn_id": conn_id, "hit": hit, "observed_at": rfc3339(at)}
    return a_record(f"{SERVER}/{conn_id}/{rfc3339(at)}", conn_id, value)


def remembered(conn_id: str, *, kind: str = "told") -> Record:
    return a_record("", f"{kind}/{SERVER}/of {conn_id}", {"v": 2, "ids": [conn_id]})


def cursor_at(moment: float) -> Record:
    return a_record("", f"cursor/{SERVER}", {"requested_at": rfc3339(moment)})


def a_gap(start: float, end: float) -> Record:
    value = {"server": SERVER, "from": rfc3339(start), "to": rfc3339(end), "kind": "unpolled", "certain": True}
    return a_record(f"{SERVER}/unpolled/{rfc3339(start)}", SERVER, value)


def a_healing(start: float, end: float) -> Record:
    value = {"server": SERVER, "from": rfc3339(start), "to": rfc3339(end), "method": "history"}
    headers = {"ce_id": f"{SERVER}/recovered/{rfc3339(start)}".encode(), "ce_type": b"wolkvox.gap-recovered"}
    return Record(0, 0, 0, SERVER, orjson.dumps(value), headers)


def a_recovered(conn_id: str) -> Record:
    one = an_event(conn_id, "in the words of the history")
    return replace(one, headers=dict(one.headers) | {"wolkvox_recovered": b"history"})


def a_hit(conn_id: str, at: float) -> SimulatedHit:
    return SimulatedHit(0, at, at, {"conn_id": conn_id, "hit": "SALE"})


LATE = SimulatedHit(0, 10.0, 10.0, {"conn_id": "a", "hit": ""}, ((15.0, "PROMISE"), (20.0, "SALE")))
"""Typified after five seconds, corrected after ten."""
HITS = {conn_id: a_hit(conn_id, at) for conn_id, at in [("a", 10.0), ("b", 20.0), ("c", 30.0)]}


def judged(
    *,
    events: Sequence[Record] = (an_event("a"), an_event("b")),
    gaps: Sequence[Record] = (),
    dead: Sequence[Record] = (),
    ledger: Sequence[Record] = (remembered("a"), remembered("b")),
    shown: str = "ab",
    never: str = "",
    forgetful: bool = False,
) -> Verdict:
    of_server = Shown(frozenset(shown), [HITS[name] for name in never], HITS, window=10.0 if forgetful else 600.0)
    return verdict(Audit(events, [], dead, gaps, ledger), {SERVER: of_server})


def test_what_was_shown_and_told_once_is_well() -> None:
    assert judged().wrong == []
    assert judged().line.startswith("hits shown 2, events 2, changes 0, duplicates 0, missing 0")


WRONG: dict[str, tuple[Callable[[], Verdict], str]] = {
    "doubled": (lambda: judged(events=[an_event("a"), an_event("b"), an_event("a")]), "event 0042/a is there 2 times"),
    "missing": (lambda: judged(shown="abc"), "0042/c was shown, and is no event"),
    "missing, for all its gap": (
        lambda: judged(shown="abc", gaps=[a_gap(25, 35)]),
        "0042/c was shown, and is no event",
    ),
    "died, outside every gap": (
        lambda: judged(shown="abc", forgetful=True, gaps=[a_gap(5, 15)]),
        "0042/c was shown, and is no event",
    ),
    "never shown, outside every gap": (
        lambda: judged(never="c", gaps=[a_gap(5, 15)]),
        "0042/c was never shown, and lies in no told gap",
    ),
    "invented": (lambda: judged(shown="a"), "0042/b is an event, and was never shown"),
    "a gap told twice": (
        lambda: judged(gaps=[a_gap(25, 35), a_gap(25, 36)]),
        "gap 0042/unpolled/1970-01-01T00:00:25.000000Z is there 2 times",
    ),
    "a dead letter told twice": (
        lambda: judged(
            dead=[a_record("0042/x", "x", {})] * 2, ledger=[*map(remembered, "ab"), remembered("x", kind="dead")]
        ),
        "dead letter 0042/x is there 2 times",
    ),
    "forgotten": (lambda: judged(ledger=[remembered("a")]), "0042/b is on a topic, and the ledger lacks it"),
    "remembered in vain": (
        lambda: judged(ledger=[*map(remembered, "abc")]),
        "0042/c is in the ledger, and on no topic",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_found(case: str) -> None:
    make, text = WRONG[case]
    assert text in make().wrong


def of_late(
    changes: Sequence[Record], *, said: Sequence[str] = ("", "PROMISE", "SALE"), cursors: Sequence[float] = (11, 16, 21)
) -> list[str]:
    """What is wrong if a hit was typified late and corrected, and these changes are on their topic."""
    of_server = Shown(frozenset("a"), [], {"a": LATE}, window=600.0, said={"a": said})
    ledger = [remembered("a"), *map(cursor_at, cursors)]
    return verdict(Audit([an_event("a", "")], changes, [], [], ledger), {SERVER: of_server}).wrong


PROMISE, SALE = a_change("a", "PROMISE", 16.5), a_change("a", "SALE", 21.5)


def test_each_word_that_a_committed_snapshot_had_is_told_once_and_in_order() -> None:
    assert of_late([PROMISE, SALE]) == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ([SALE], "0042/a never says ['PROMISE'], which a committed snapshot had"),
        ([PROMISE], "0042/a never says ['SALE'], which a committed snapshot had"),
        ([SALE, PROMISE], "0042/a says ['', 'SALE', 'PROMISE'], and the API showed ['', 'PROMISE', 'SALE']"),
        ([PROMISE, SALE, SALE], f"change 0042/a/{rfc3339(21.5)} is there 2 times"),
        (
            [PROMISE, SALE, a_change("a", "SALE", 22.5)],
            "0042/a says ['', 'PROMISE', 'SALE', 'SALE'], and the API showed ['', 'PROMISE', 'SALE']",
        ),
    ],
)
def test_a_change_that_is_missing_out_of_order_or_told_again_is_found(changes: list[Record], text: str) -> None:
    assert text in of_late(changes)


def test_what_only_a_snapshot_showed_that_died_with_its_process_is_nobodys() -> None:
    assert of_late([SALE], cursors=(11, 21)) == []
    assert of_late([SALE], cursors=(11, 19.5, 21)) == []  # made when it was, or just behind it
    assert of_late([PROMISE], cursors=(11, 16)) == []
    assert of_late([PROMISE], said=["", "PROMISE"], cursors=(11, 16)) == []
    assert of_late([PROMISE], said=["", "PROMISE"], cursors=(11, 16, 21)) == []  # the answer was made too late for it


def test_a_change_that_the_api_never_showed_is_found() -> None:
    assert of_late([PROMISE, SALE, a_change("a", "REFUND", 22.5)]) == [
        "0042/a says ['', 'PROMISE', 'SALE', 'REFUND'], and the API showed ['', 'PROMISE', 'SALE']"
    ]


def test_what_was_never_shown_or_died_inside_a_told_gap_is_explained() -> None:
    found = judged(shown="ab", never="c", gaps=[a_gap(25, 35)])
    assert (found.wrong, found.never_shown, found.gaps) == ([], 1, 1)
    found = judged(shown="abc", forgetful=True, gaps=[a_gap(25, 35)])
    assert (found.wrong, found.died, found.missing) == ([], 1, 0)


def of_healed(*events: Record) -> list[str]:
    """What is wrong if a call was never shown, its gap is told as healed, and these are the events."""
    call = a_hit("c.1", 30.0)
    of_server = Shown(frozenset("ab"), [call], HITS | {"c.1": call}, window=600.0, said={"c.1": ["SALE"]})
    told = [an_event("a"), an_event("b"), *events]
    ledger = [remembered(record.key) for record in told]
    return verdict(Audit(told, [], [], [a_gap(25, 35), a_healing(25, 35)], ledger), {SERVER: of_server}).wrong


def test_a_gap_that_healed_has_all_its_calls_and_none_that_never_was() -> None:
    assert of_healed(a_recovered("c.1")) == []
    assert of_healed() == ["0042/c.1 lies in a gap that is told as healed, and is no event"]
    assert "event 0042/c.1 is there 2 times" in of_healed(a_recovered("c.1"), a_recovered("c.1"))
    assert "0042/9c.1 is an event, and never happened" in of_healed(a_recovered("c.1"), a_recovered("9c.1"))
    assert of_healed(an_event("c.1")) == ["0042/c.1 is an event, and was never shown"]


def test_what_left_the_report_before_the_first_cursor_is_nobodys() -> None:
    ledger = [*map(remembered, "ab"), cursor_at(45.0)]
    assert judged(never="c", forgetful=True, ledger=ledger).wrong == []
    assert judged(shown="abc", forgetful=True, ledger=ledger).wrong == []
    assert judged(never="c", ledger=ledger).wrong == ["0042/c was never shown, and lies in no told gap"]


@pytest.mark.parametrize(
    ("visible_at", "cursors", "observed", "late"),
    [
        (32.0, [31.0, 39.5], None, 1),  # seen by nobody: it came after the one, and left before the other
        (30.0, [29.0, 39.5], None, 0),  # it was there from the beginning: an overlap would have shown it
        (32.0, [31.0, 45.0], None, 0),  # no overlap: a gap is due
        (32.0, [31.0, 35.0], None, 0),  # it was in the second
        (
            32.0,
            [31.0, 60.0],
            39.5,
            1,
        ),  # one between them waited: it was told with the last, whose cursor counts
        (32.0, [31.0, 60.0], 45.0, 0),  # that one overlaps with none
    ],
)
def test_what_came_late_and_left_between_snapshots_that_overlap_is_told_apart(
    visible_at: float, cursors: list[float], observed: float | None, late: int
) -> None:
    hit = SimulatedHit(0, 30.0, visible_at, {"conn_id": "c"})
    of_server = Shown(frozenset("ab"), [hit], HITS | {"c": hit}, window=10.0)
    ledger = [*map(remembered, "ab"), *(cursor_at(moment) for moment in [5.0, *cursors])]
    events = [an_event("a"), an_event("b", observed_at=observed or 0.0)]
    found = verdict(Audit(events, [], [], [], ledger), {SERVER: of_server})
    assert (found.late, found.unexplained, len(found.wrong)) == (late, 1 - late, 1 - late)


def test_an_owners_barrier_is_no_id_and_a_hit_that_left_during_the_first_answer_is_nobodys() -> None:
    ledger = [*map(remembered, "ab"), cursor_at(39.5), a_record("", "owner/2", {}), a_record("", "owner/begun", {})]
    assert judged(never="c", forgetful=True, ledger=ledger).wrong == []
