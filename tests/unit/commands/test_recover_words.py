"""What `recover` prints: counts that add up, what to do about what was left out, and nobody's data."""

from __future__ import annotations

from dataclasses import replace

from producer.clock import Moment, rfc3339
from producer.commands.recover_words import Summary, disagreement, print_summary, print_verdict
from producer.core.healing import Agreement
from producer.model import Gap, GapKind, Hit, Method
from producer.recovery.found import Found, Judged
from producer.recovery.publication import Outcome
from tests.unit.commands.screens import pipe, printed
from tests.unit.core.samples import a_dead_row, a_hit

NOON = 1_768_737_600.0
HITS = {key: a_hit(key) for key in ("new", "told", "old")}
FOUND = Found(Method.FILE, Moment(NOON, 1.0), HITS, {"dead": a_dead_row("dead")}, repeated=2, summaries=1, unmarked=4)
JUDGED = Judged({"new": HITS["new"]}, {"told"}, {"old": HITS["old"]})


def table(summary: Summary, *, dry_run: bool = False) -> tuple[dict[str, str], list[str]]:
    console = pipe()
    print_summary(console, summary, dry_run=dry_run)
    lines = printed(console)
    rows = [line.rpartition("  ") for line in lines[1:]]
    return {what.strip(): count for what, _, count in rows if count.isdigit()}, lines


def test_each_row_has_its_place_in_the_table() -> None:
    outcome = Outcome(published=1, dead_lettered=1, told=0, recovered=1)
    rows, lines = table(Summary(FOUND, JUDGED, unread=[3, 9], outcome=outcome))
    assert rows == {
        "rows read": "11",
        "hits in them": "3",
        "told before": "1",
        "published": "1",
        "dead letters": "1",
        "repeated": "2",
        "unmarked": "4",
        "summary lines": "1",
        "older than the topic": "1",
        "lines that are no rows": "2",
        "gaps healed": "1",
    }
    assert any("--accept-unknown" in line for line in lines)
    assert lines[-1] == "No rows: line 3, 9"


def test_a_dry_run_says_what_would_be() -> None:
    rows, _ = table(Summary(FOUND, JUDGED), dry_run=True)
    assert rows["would be published"] == "1"
    assert rows["would be dead letters"] == "1"
    assert "published" not in rows


def test_what_is_none_is_not_in_the_table() -> None:
    plain = replace(FOUND, dead={}, repeated=0, summaries=0, unmarked=0)
    rows, lines = table(Summary(plain, Judged(HITS, (), {}), outcome=Outcome(published=3)))
    assert rows == {"rows read": "3", "hits in them": "3", "told before": "0", "published": "3"}
    assert len(lines) == 5


def test_many_lines_are_not_all_named() -> None:
    _, lines = table(Summary(FOUND, JUDGED, unread=range(1, 500)))
    assert lines[-1].endswith("20 …")


def test_nobodys_data_is_printed() -> None:
    _, lines = table(Summary(FOUND, JUDGED, unread=[3], outcome=Outcome(1, 1, 1, 1)))
    assert "573005550123" not in "\n".join(lines)


def dated(count: int, moment: float) -> dict[str, Hit]:
    hits = {f"{moment}/{number}": a_hit(f"{moment}/{number}") for number in range(count)}
    for hit in hits.values():
        hit["occurred_at"] = rfc3339(moment)
    return hits


def verdict(*, told: int, untold: int, in_gap: int, strangers: int = 0) -> tuple[bool, list[str]]:
    gap = Gap("0042", NOON + 100, NOON + 200, GapKind.UNPOLLED, certain=True)
    known, missing, lost = dated(told, NOON + 10), dated(untold, NOON + 20), dated(in_gap, NOON + 150)
    topic = dict.fromkeys(known, NOON + 10) | {f"x{number}": NOON + 30 for number in range(strangers)} | {"y": NOON - 1}
    console = pipe()
    agrees = print_verdict(console, known | missing | lost, topic, [gap], (NOON, NOON + 300))
    return agrees.holds, [line.split()[-1] for line in printed(console)[1:6]]


def test_they_agree_if_nine_of_ten_outside_of_gaps_are_told_by_the_same_ids() -> None:
    assert verdict(told=9, untold=1, in_gap=50) == (True, ["60", "9", "50", "1", "0"])
    assert verdict(told=8, untold=1, in_gap=0, strangers=7) == (False, ["9", "8", "0", "1", "7"])
    assert verdict(told=4, untold=0, in_gap=0)[0] is False


def test_a_disagreement_is_told_with_its_numbers() -> None:
    text = " ".join(disagreement(Agreement(found=40, told=3)))
    assert "of 40 hits" in text
    assert "3 are told under the same id; 5 must be, and 90% of them" in text
