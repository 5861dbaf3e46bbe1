"""Which rows say that they are hits, and what becomes of the others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from producer.model import DeadRow, RawRow, Reading, Rows
from producer.values import Number
from producer.wolkvox.marks import count_unmarked, is_marked
from producer.wolkvox.reader import RowReader
from producer.wolkvox.recall import Recall
from tests.unit.wolkvox.calls import ROW
from tests.unit.wolkvox.snapshots import BOGOTA, body_of, broken, snapshot_of

UNMARKED = ["", " ", "\u00a0\t", None, "no", "NO", " No ", "n", "N", "false", "False", "0", 0, 0.0, False, Number("0")]
MARKED = ["VENTA EFECTIVA", "si", "1", "true", "none", "null", "00", "no contesta", 1, 7.5, True, Number("1")]


@pytest.mark.parametrize("hit", UNMARKED)
def test_empty_or_no_marks_no_hit(hit: Any) -> None:
    assert not is_marked(hit)


@pytest.mark.parametrize("hit", MARKED)
def test_any_other_word_marks_one(hit: Any) -> None:
    assert is_marked(hit)


class Report:
    """A report that is read poll after poll, as the poller does it; `told` are ids that it may take for known."""

    def __init__(self, *, marked_only: bool = True) -> None:
        self.told: set[str] = set()
        self._reader = RowReader(server="0042", zone=BOGOTA, marked_only=marked_only)
        self._recall = Recall()
        snapshot_of(compact(), self._recall)  # the first answer is not taken apart

    def read(self, *rows: Any, body: bytes | None = None) -> tuple[Rows, Reading]:
        snapshot = snapshot_of(compact(*rows) if body is None else body, self._recall)
        found = self._reader.identify(snapshot, known=self.told)
        assert found.fresh is not None
        return found, self._reader.read({key: found.hits[key] for key in found.fresh}, snapshot)


def compact(*rows: Any) -> bytes:
    return body_of(*(json.dumps(row, separators=(",", ":")).encode() for row in rows))


def row(conn_id: str, hit: Any = "VENTA") -> dict[str, Any]:
    return ROW | {"conn_id": conn_id, "hit": hit}


def test_only_marked_rows_become_hits_and_the_others_are_named() -> None:
    absent = {name: value for name, value in row("absent").items() if name != "hit"}
    _, reading = Report().read(row("a"), row("empty", ""), row("nothing", None), row("false", False), absent, row("b"))
    assert list(reading.hits) == ["a", "b"]
    assert reading.unmarked == ["empty", "nothing", "false", "absent"]
    assert (reading.dead, reading.doubtful) == ({}, 0)


def test_an_unmarked_row_is_no_dead_letter_whatever_else_is_wrong_with_it() -> None:
    odd = row("odd", "") | {"telephone": ["an array"]}
    _, reading = Report().read(odd)
    assert (reading.unmarked, reading.dead) == (["odd"], {})
    _, reading = Report().read(odd | {"hit": "VENTA"})
    (dead,) = reading.dead.values()
    assert isinstance(dead, DeadRow)


def test_each_row_is_a_hit_by_default_and_the_doubtful_ones_are_counted() -> None:
    dead = row("dead", "") | {"telephone": ["an array"]}
    _, reading = Report(marked_only=False).read(row("a"), row("empty", ""), row("no", "no"), dead)
    assert list(reading.hits) == ["a", "empty", "no"]
    assert (reading.unmarked, reading.doubtful, len(reading.dead)) == ([], 2, 1)


def test_numbers_and_the_tolerant_parser_make_no_difference() -> None:
    body = broken(body_of(row("a", 0), row("b", 1), row("c", "0"), row("d", "1")))
    _, reading = Report().read(body=body)
    assert (list(reading.hits), reading.unmarked) == (["b", "d"], ["a", "c"])


def test_an_unmarked_row_is_read_again_only_when_its_bytes_change() -> None:
    report = Report()
    rows = [row("a"), row("b", ""), row("c", "")]
    _, reading = report.read(*rows)
    assert reading.unmarked == ["b", "c"]
    report.told = {"a"}
    found, reading = report.read(*rows)  # known by their bytes from here on
    assert (found.fresh, reading.unmarked) == (["b", "c"], ["b", "c"])
    found, reading = report.read(*rows)
    assert (found.fresh, found.unmarked, reading.unmarked) == ([], 2, [])
    assert isinstance(found.hits["b"], RawRow)
    found, reading = report.read(row("a"), row("b", "VENTA"), row("c", ""))
    assert (found.fresh, found.unmarked, list(reading.hits)) == (["b"], 1, ["b"])


def test_an_unmarked_row_that_comes_back_is_read_again() -> None:
    report = Report()
    for _ in range(3):
        found, _ = report.read(row("b", ""))
    assert found.unmarked == 1
    report.read()
    found, reading = report.read(row("b", ""))
    assert (found.unmarked, reading.unmarked) == (0, ["b"])


@pytest.mark.parametrize("times", [1, 3])
def test_of_an_id_that_is_repeated_the_row_that_says_it_is_a_hit_counts(times: int) -> None:
    """Also when the others were read as unmarked before, and are known by their bytes."""
    report = Report()
    for _ in range(times):
        _, reading = report.read(row("a", ""), row("a", "no"))
        assert reading.hits == {}
    _, reading = report.read(row("a", ""), row("a", "no"), row("a", "VENTA"), row("a", "OTRA"))
    assert reading.hits["a"]["hit"] == "VENTA"


def test_a_row_that_is_dead_is_not_taken_for_an_unmarked_one() -> None:
    report = Report()
    dead = row("dead") | {"telephone": ["an array"]}
    for _ in range(3):
        found, reading = report.read(dead)
        assert (found.unmarked, reading.unmarked, len(reading.dead)) == (0, [], 1)


def test_unmarked_rows_of_a_report_are_counted_whatever_else_is_in_it() -> None:
    assert count_unmarked([row("a"), row("b", ""), {}, "no object", None, row("c", {"an": "object"})]) == 2
