"""The audit of a run finds whatever it is there for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson
import pytest

from producer.clock import rfc3339
from producer.demo.simulator.callcentre import SimulatedHit
from tests.chaos.verdict import Shown, Verdict, verdict
from tests.integration.service.audit import Audit, Record

SERVER = "0042"


def a_record(identity: str, key: str, value: object) -> Record:
    return Record(0, 0, 0, key, orjson.dumps(value), {"ce_id": identity.encode()})


def an_event(conn_id: str) -> Record:
    return a_record(f"{SERVER}/{conn_id}", conn_id, {"conn_id": conn_id})


def remembered(conn_id: str, *, kind: str = "told") -> Record:
    return a_record("", f"{kind}/{SERVER}/of {conn_id}", {"v": 2, "ids": [conn_id]})


def cursor_at(moment: float) -> Record:
    return a_record("", f"cursor/{SERVER}", {"requested_at": rfc3339(moment)})


def a_gap(start: float, end: float) -> Record:
    value = {"server": SERVER, "from": rfc3339(start), "to": rfc3339(end), "kind": "unpolled", "certain": True}
    return a_record(f"{SERVER}/unpolled/{rfc3339(start)}", SERVER, value)


def a_hit(conn_id: str, at: float) -> SimulatedHit:
    return SimulatedHit(0, at, at, {"conn_id": conn_id})


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
    assert judged().line.startswith("hits shown 2, events 2, duplicates 0, missing 0")


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


def test_what_was_never_shown_or_died_inside_a_told_gap_is_explained() -> None:
    found = judged(shown="ab", never="c", gaps=[a_gap(25, 35)])
    assert (found.wrong, found.never_shown, found.gaps) == ([], 1, 1)
    found = judged(shown="abc", forgetful=True, gaps=[a_gap(25, 35)])
    assert (found.wrong, found.died, found.missing) == ([], 1, 0)


def test_what_left_the_report_before_the_first_cursor_is_nobodys() -> None:
    ledger = [*map(remembered, "ab"), cursor_at(45.0)]
    assert judged(never="c", forgetful=True, ledger=ledger).wrong == []
    assert judged(shown="abc", forgetful=True, ledger=ledger).wrong == []
    assert judged(never="c", ledger=ledger).wrong == ["0042/c was never shown, and lies in no told gap"]


@pytest.mark.parametrize(
    ("visible_at", "cursors", "late"),
    [
        (32.0, [31.0, 39.5], 1),  # seen by nobody: it came after the one, and left before the other
        (30.0, [29.0, 39.5], 0),  # it was there from the beginning: an overlap would have shown it
        (32.0, [31.0, 45.0], 0),  # no overlap: a gap is due
        (32.0, [31.0, 35.0], 0),  # it was in the second
    ],
)
def test_what_came_late_and_left_between_snapshots_that_overlap_is_told_apart(
    visible_at: float, cursors: list[float], late: int
) -> None:
    hit = SimulatedHit(0, 30.0, visible_at, {"conn_id": "c"})
    of_server = Shown(frozenset("ab"), [hit], HITS | {"c": hit}, window=10.0)
    ledger = [*map(remembered, "ab"), *(cursor_at(moment) for moment in [5.0, *cursors])]
    found = verdict(Audit([an_event("a"), an_event("b")], [], [], [], ledger), {SERVER: of_server})
    assert (found.late, found.unexplained, len(found.wrong)) == (late, 1 - late, 1 - late)


def test_an_owners_barrier_is_no_id_and_a_hit_that_left_during_the_first_answer_is_nobodys() -> None:
    ledger = [*map(remembered, "ab"), cursor_at(39.5), a_record("", "owner/2", {}), a_record("", "owner/begun", {})]
    assert judged(never="c", forgetful=True, ledger=ledger).wrong == []
