"""Rows known by their bytes: whatever was answered before, an answer means what it means by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from producer.errors import PollFailed
from producer.wolkvox.recall import Recall
from producer.wolkvox.rows import identify
from tests.unit.wolkvox.calls import ROW
from tests.unit.wolkvox.snapshots import body_of, read_all, snapshot_of


def compact(*rows: Any) -> bytes:
    """An answer as the API writes it: without blanks."""
    texts = [row if isinstance(row, bytes) else json.dumps(row, separators=(",", ":")).encode() for row in rows]
    return b'{"code":"200","error":null,"msg":"","data":[' + b",".join(texts) + b"]}"


def numbered(*numbers: int) -> list[dict[str, Any]]:
    return [ROW | {"conn_id": f"6736.{number}"} for number in numbers]


def meaning(body: bytes, recall: Recall | None) -> Any:
    """All that an answer comes to."""
    try:
        snapshot = snapshot_of(body, recall)
    except PollFailed as error:
        return type(error), str(error)
    drift = dict(snapshot.drift)
    found = identify(snapshot)
    reading = read_all(snapshot, found)
    return (
        len(snapshot.rows),
        snapshot.not_found,
        drift | found.drift,
        (list(found.hits), list(found.dead.items()), found.repeated, found.summaries),
        (list(reading.hits.items()), list(reading.dead.items()), reading.dates_unparsed),
    )


def assert_means_the_same(*bodies: bytes) -> None:
    recall = Recall()
    for body in bodies:
        assert meaning(body, recall) == meaning(body, None)


def a_recall(*bodies: bytes) -> Recall:
    """One that has seen these, and an answer before them."""
    recall = Recall()
    for body in (b"", *bodies):
        recall.content(body)
    return recall


def test_what_the_last_answer_had_is_not_parsed_again() -> None:
    recall = a_recall(compact(*numbered(1, 2)))
    found = recall.content(compact(*numbered(2, 3, 1)))
    assert found is not None
    assert [type(row) for row in found.rows] == [bytes, dict, bytes]
    assert found.ids == ["6736.2", "6736.3", "6736.1"]


def test_the_first_answer_is_not_taken_apart() -> None:
    assert Recall().content(compact(*numbered(1))) is None


def test_what_the_answers_no_longer_show_is_let_go() -> None:
    recall = Recall()
    for first in range(0, 1000, 10):
        recall.content(compact(*numbered(*range(first, first + 50))))
    assert recall._last is not None
    assert len(recall._last.ids) == len(recall._last.texts) == 50


def kinds(recall: Recall, *rows: Any) -> list[type]:
    found = recall.content(compact(*rows))
    assert found is not None
    assert [place for place, row in enumerate(found.rows) if type(row) is dict] == found.parsed
    return [type(row) for row in found.rows]


def test_a_row_that_changed_and_changed_back_is_parsed_both_times() -> None:
    (first, other), changed = numbered(1, 2), {**ROW, "conn_id": "6736.1", "hit": "other"}
    recall = a_recall(compact(first, other))
    assert kinds(recall, changed, other) == [dict, bytes]
    assert kinds(recall, first, other) == [dict, bytes]
    assert kinds(recall, first, other) == [bytes, bytes]


def test_after_an_answer_that_was_parsed_whole_nothing_is_known() -> None:
    first, other = numbered(1, 2)
    recall = a_recall(compact(first, other))
    assert recall.content(ANSWERS["a list at the top"]) is None
    assert kinds(recall, first, other) == [dict, dict]
    assert recall.answers == 4


def test_a_row_that_the_last_answer_lacked_is_parsed_when_it_comes_back() -> None:
    """What was made of the answer that had it, nobody knows here: its poll may have failed."""
    first, other = numbered(1, 2)
    recall = a_recall(compact(first, other))
    assert kinds(recall, other) == [bytes]
    assert kinds(recall, first, other) == [dict, bytes]


def test_of_an_id_that_was_shown_with_several_texts_the_one_that_was_gone_is_parsed() -> None:
    first, other = numbered(1, 2)
    second = {**first, "hit": "other"}
    recall = a_recall(compact(first, second, other))
    assert kinds(recall, first, other) == [bytes, bytes]
    assert kinds(recall, second, other) == [dict, bytes]


def test_a_row_that_comes_again_after_it_was_forgotten_is_read_from_its_bytes() -> None:
    body = compact(*numbered(1, 2))
    assert_means_the_same(body, body, body)
    reading = read_all(snapshot := snapshot_of(body, a_recall(body)), identify(snapshot))
    assert reading.hits["6736.1"]["telephone"] == ROW["telephone"]


CUT = b'{"conn_id":"a","hit":"x},{y"}'
ANSWERS = {
    "between rows, inside a text": compact(CUT, CUT.replace(b'"a"', b'"b"')),
    "as many objects as texts, cut elsewhere": b'{"code":200,"data":[%b,{"conn_id":"b"}, {"conn_id":"c"}]}' % CUT,
    "braces inside texts": compact({"conn_id": "a{"}, {"conn_id": "}b"}),
    "nested objects": compact({"conn_id": "a", "extra": [{"x": 1}, {"y": 2}]}, {"conn_id": "b", "extra": {}}),
    "blanks": body_of(*numbered(1, 2)),
    "no objects": compact(*numbered(1), 5, None, "x", *numbered(2)),
    "a number between rows": compact(*numbered(1), b"5", *numbered(2)),
    "no rows": compact(),
    "an empty row": compact({}),
    "the same row twice": compact(*numbered(1, 1)),
    "the same id twice": compact(*numbered(1), ROW | {"conn_id": "6736.1", "hit": "other"}),
    "a summary": compact(*numbered(1), {"conn_id": "TOTAL", "hit": "1"}),
    "numbers for ids": compact({"conn_id": 5}, b'{"conn_id":6736.10}', b'{"conn_id":6736.1}'),
    "numbers in fields": compact(b'{"conn_id":"a","telephone":57300.10}', b'{"conn_id":"b","telephone":57300.1}'),
    "odd ids": compact({"conn_id": ""}, {"conn_id": "\n"}, {"conn_id": None}, {"hit": "x"}, {"conn_id": "x" * 300}),
    "a lone surrogate": compact(b'{"conn_id":"a","hit":"\\ud800"}', *numbered(1)),
    "bytes that are no text": compact(b'{"conn_id":"a","hit":"\xd3"}', *numbered(1)),
    "NaN": compact(b'{"conn_id":"a","hit":NaN}', *numbered(1)),
    "cut off": compact(*numbered(1, 2))[:-40],
    "a bracket in the message": compact(*numbered(1)).replace(b'"msg":""', b'"msg":"[{"'),
    "rows in the message": compact(*numbered(1)).replace(b'"msg":""', b'"msg":"},{"'),
    "data twice, empty at last": compact(*numbered(1))[:-1] + b',"data":[]}',
    "data twice, null at last": compact(*numbered(1))[:-1] + b',"data":null}',
    "data in data": b'{"code":200,"data":{"data":[{"conn_id":"a"}]}}',
    "rows elsewhere": b'{"code":200,"rows":[{"conn_id":"a"}],"msg":""}',
    "more behind the rows": compact(*numbered(1, 2))[:-1] + b',"page":{"of":1}}',
    "a list at the top": b'[{"conn_id":"a"},{"conn_id":"b"}]',
    "no code": b'{"data":[{"conn_id":"a"}]}',
    "an error's code": compact(*numbered(1)).replace(b'"200"', b"401"),
    "not found": compact(*numbered(1)).replace(b'"200"', b"404"),
    "a key twice in a row": compact(b'{"conn_id":"a","conn_id":"b"}'),
    "garbage behind": compact(*numbered(1)) + b"x",
    "two answers": compact(*numbered(1)) * 2,
}


@pytest.mark.parametrize("odd", ANSWERS)
def test_an_odd_answer_means_what_it_means_by_itself(odd: str) -> None:
    ordinary = compact(*numbered(1, 2, 3))
    body = ANSWERS[odd]
    assert_means_the_same(ordinary, body, body, ordinary, body, ordinary)


@pytest.mark.parametrize("odd", ANSWERS)
def test_what_an_odd_answer_left_behind_changes_no_other(odd: str) -> None:
    assert_means_the_same(b"", ANSWERS[odd], *ANSWERS.values())


pieces = st.sampled_from(
    [b'"conn_id":"a"', b'"conn_id":"b"', b'"hit":"x"', b'"hit":"}"', b'"', b"{", b"}", b"[", b"]", b",", b":", b"},{",
     b"[{", b"}]", b"\\", b" ", b"1", b"null", b'"data":']
)  # fmt: skip
texts = st.lists(pieces, max_size=6).map(b"".join)
middles = st.lists(texts, max_size=4).map(b"},{".join)
frames = st.sampled_from(
    [(b'{"code":200,"data":[{', b"}]}"), (b'{"code":200,"msg":"[", "data":[{', b"}]}"), (b"[{", b"}]"),
     (b'{"code":200,"data":[{', b'}],"data":[]}'), (b'{"code":200,"msg":"[{', b'}]","data":[]}')]
)  # fmt: skip
bodies = st.tuples(frames, middles).map(lambda parts: parts[0][0] + parts[1] + parts[0][1])


@settings(max_examples=400)
@given(st.lists(bodies, min_size=2, max_size=5))
@example([b'{"code":200,"data":[{"hit":"}]}'] * 3)
@example([compact(CUT)] * 3)
def test_no_order_of_answers_changes_what_one_means(answers: list[bytes]) -> None:
    assert_means_the_same(*answers)


objects = st.fixed_dictionaries(
    {"conn_id": st.sampled_from(["a", "b", "c", "TOTAL", "", "{", "},{", "ñ"]) | st.integers(0, 3)},
    optional={
        "hit": st.text(max_size=3) | st.none() | st.floats(0, 1),
        "x": st.lists(st.dictionaries(st.text(max_size=1), st.integers())),
    },
)


@given(st.lists(st.lists(objects, max_size=5), min_size=2, max_size=5))
def test_rows_that_come_and_go_mean_what_they_mean(reports: list[list[dict[str, Any]]]) -> None:
    assert_means_the_same(*(compact(*rows) for rows in reports))
