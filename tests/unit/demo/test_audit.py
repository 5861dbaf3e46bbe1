from __future__ import annotations

from dataclasses import dataclass

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


def test_a_hit_never_shown_is_explained_by_a_gap_that_was_told() -> None:
    lost = [Lost("c", 105.0, 105.0)]
    verdict = _audit(gaps=[GAP], never_shown=lost)
    assert verdict.holds
    assert "coverage gaps told 1, hits never shown 1, of them outside every gap 0" in verdict.line


def test_a_hit_never_shown_that_no_gap_explains_fails_it() -> None:
    before, after = Lost("c", 99.0, 99.0), Lost("d", 110.5, 110.5)
    verdict = _audit(gaps=[GAP], never_shown=[before, after])
    assert not verdict.holds
    assert verdict.unexplained == ("c", "d")
    assert not _audit(never_shown=[before]).holds


def test_a_late_hit_is_explained_if_it_would_have_turned_up_in_the_gap() -> None:
    assert _audit(gaps=[GAP], never_shown=[Lost("c", 99.0, 101.0)]).holds
    assert not _audit(gaps=[GAP], never_shown=[Lost("c", 97.0, 99.0)]).holds


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
) -> Audit:
    return audit(shown=shown or set(), events=events or [], gaps=gaps or [], never_shown=never_shown or [])
