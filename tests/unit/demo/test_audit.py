from __future__ import annotations

from dataclasses import dataclass

import pytest

from producer.demo.show.audit import Audit, audit
from producer.demo.show.narrator import findings
from producer.model import Gap, GapKind

GAP = Gap("0042", start=100.0, end=110.0, kind=GapKind.UNPOLLED, certain=False)


@dataclass(frozen=True)
class Lost:
    conn_id: str
    occurred_at: float
    visible_at: float


def test_it_holds_when_each_hit_shown_is_one_event() -> None:
    verdict = _audit(shown={"a", "b"}, events=["b", "a"])
    assert verdict.holds
    assert (verdict.shown, verdict.events) == (2, 2)


def test_a_planted_duplicate_fails_it_and_is_named() -> None:
    verdict = _audit(shown={"a", "b"}, events=["a", "b", "a", "a"])
    assert not verdict.holds
    assert verdict.duplicates == ("a", "a")
    assert "duplicates 2, missing 0" in verdict.line
    assert list(findings(verdict)) == ["more than one event: a, a"]


def test_a_planted_missing_hit_fails_it_and_is_named() -> None:
    verdict = _audit(shown={"a", "b"}, events=["a"])
    assert not verdict.holds
    assert verdict.missing == ("b",)
    assert "duplicates 0, missing 1" in verdict.line
    assert list(findings(verdict)) == ["shown by the API, no event: b"]


def test_a_duplicate_does_not_make_up_for_a_missing_hit() -> None:
    verdict = _audit(shown={"a", "b"}, events=["a", "a"])
    assert (verdict.shown, verdict.events) == (2, 2)
    assert not verdict.holds


def test_an_event_that_the_api_never_showed_fails_it() -> None:
    verdict = _audit(shown={"a"}, events=["a", "x"])
    assert not verdict.holds
    assert verdict.strangers == ("x",)
    assert "events never shown by the API 1" in verdict.line


def test_a_hit_never_shown_that_is_an_event_has_healed() -> None:
    verdict = _audit(shown={"a"}, events=["a", "c"], gaps=[GAP], never_shown=[Lost("c", 105.0, 105.0)])
    assert verdict.holds
    assert "coverage gaps told 1, hits never shown 1, of them still in gaps 0" in verdict.line


def test_a_hit_never_shown_that_is_none_fails_it_also_in_a_gap_that_was_told() -> None:
    lost = [Lost("c", 105.0, 105.0), Lost("d", 105.0, 105.0)]
    verdict = _audit(gaps=[GAP], never_shown=lost, events=["d"])
    assert not verdict.holds
    assert (verdict.lost, verdict.unexplained) == (("c",), ())
    assert "hits never shown 2, of them still in gaps 1" in verdict.line
    assert list(findings(verdict)) == ["never shown by the API, no event: c"]


def test_a_hit_never_shown_that_no_gap_explains_is_named() -> None:
    before, after = Lost("c", 99.0, 99.0), Lost("d", 110.5, 110.5)
    assert _audit(gaps=[GAP], never_shown=[before, after]).unexplained == ("c", "d")


def test_a_late_hit_is_explained_if_it_would_have_turned_up_in_the_gap() -> None:
    assert not _audit(gaps=[GAP], never_shown=[Lost("c", 99.0, 101.0)]).unexplained
    assert _audit(gaps=[GAP], never_shown=[Lost("c", 97.0, 99.0)]).unexplained


@pytest.mark.parametrize("told", [["", "A", "B"], ["", "B"], ["B"]])
def test_events_say_what_the_api_showed_in_its_order_and_to_the_last(told: list[str]) -> None:
    """What lies between may have died with a process."""
    verdict = _audit(said={"a": ["", "A", "B"]}, words={"a": told, "b": ["A"]})
    assert verdict.holds
    assert verdict.changes == len(told) - 1
    assert f"changes told {len(told) - 1}, hits misquoted 0" in verdict.line


@pytest.mark.parametrize("told", [["", "A"], ["A", "", "B"], ["", "A", "B", "B"], ["", "C", "B"], []])
def test_a_planted_change_that_is_missing_misplaced_repeated_or_made_up_fails_it(told: list[str]) -> None:
    verdict = _audit(said={"a": ["", "A", "B"]}, words={"a": told})
    assert not verdict.holds
    assert list(findings(verdict)) == ["events that say otherwise than the API: a"]


def test_a_change_of_a_hit_that_never_changed_fails_it() -> None:
    assert _audit(words={"a": ["A", "B"]}).misquoted == ("a",)


def test_findings_name_a_few_ids_of_many() -> None:
    ids = {f"id-{number}" for number in range(9)}
    (finding,) = findings(_audit(shown=ids, events=[]))
    assert finding == "shown by the API, no event: id-0, id-1, id-2, id-3, id-4 ..."


def _audit(
    *,
    shown: set[str] | None = None,
    events: list[str] | None = None,
    gaps: list[Gap] | None = None,
    never_shown: list[Lost] | None = None,
    said: dict[str, list[str]] | None = None,
    words: dict[str, list[str]] | None = None,
) -> Audit:
    return audit(
        shown=shown or set(),
        events=events or [],
        gaps=gaps or [],
        never_shown=never_shown or [],
        said=said or {},
        words=words or {},
    )
