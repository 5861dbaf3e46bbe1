"""Rows of dead letters that today's reader can read."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import orjson
import pytest

from producer.events import Events
from producer.model import Hit, Reason
from producer.recovery.letters import Letters, readable
from producer.wolkvox.privacy import Privacy
from producer.wolkvox.reader import RowReader
from tests.unit.wolkvox.calls import ROW, HandClock
from tests.unit.wolkvox.snapshots import BOGOTA, OBSERVED, body_of, snapshot_of

COVERED = "5f" * 32


def read(*rows: Any, privacy: Privacy | None = None, limit: int = 1_000_000) -> dict[str, Hit]:
    return hits_of(Letters(list(rows)), privacy=privacy, limit=limit)


def hits_of(letters: Letters, *, privacy: Privacy | None = None, limit: int = 1_000_000) -> dict[str, Hit]:
    reader = RowReader(server="0042", zone=BOGOTA, privacy=privacy)
    found = readable(letters, reader, server="0042", limit=limit, clock=HandClock())
    assert not found.dead, "they are told already"
    return dict(found.hits)


def letter_of(row: bytes) -> bytes:
    """The letter that a row of the report becomes, its telephone such as today's reader takes."""
    snapshot = snapshot_of(body_of(row))
    reader = RowReader(server="0042", zone=BOGOTA)
    rows = reader.identify(snapshot, known=frozenset())
    [dead] = [*rows.dead.values(), *reader.read(rows.hits, snapshot).dead.values()]
    record = Events(server="0042").dead_letter(dead, observed_at=OBSERVED, limit=1_000_000)
    return record.value.replace(b'"telephone":{"a":1}', b'"telephone":"57"')


def letters(*values: bytes, reasons: Collection[Reason] = ()) -> Letters:
    found = Letters()
    for value in values:
        found.add(value, server="0042", reasons=reasons)
    return found


def test_what_is_a_hit_now_is_read_and_the_rest_stays_what_it_is() -> None:
    assert set(read(ROW, ROW | {"conn_id": ""}, "no object", ROW | {"conn_id": "7", "hit": {}})) == {ROW["conn_id"]}
    assert set(read(ROW, ROW | {"conn_id": ["7"]}, ROW | {"conn_id": {}})) == {ROW["conn_id"]}


def test_what_the_topic_would_refuse_once_more_is_left_out() -> None:
    large = ROW | {"conn_id": "7", "hit": "x" * 3_000}
    assert set(read(ROW, large, limit=2_000)) == {ROW["conn_id"]}


def test_what_is_covered_already_is_not_covered_once_more() -> None:
    privacy = Privacy(telephone="hmac", customer_id="hmac", keep_extra=False, key=lambda: "k" * 32)
    old, new = ROW | {"telephone": COVERED, "customer_id": COVERED}, ROW | {"conn_id": "7"}
    hits = read(old, new, old | {"conn_id": 8}, privacy=privacy)
    assert hits["8"]["telephone"] == COVERED
    assert (hits[ROW["conn_id"]]["telephone"], hits[ROW["conn_id"]]["customer_id"]) == (COVERED, COVERED)
    assert hits["7"]["telephone"] not in (ROW["telephone"], COVERED)


def test_what_is_to_be_dropped_now_is_dropped() -> None:
    privacy = Privacy(telephone="drop", customer_id="drop", keep_extra=False, key=None)
    hits = read(ROW | {"telephone": COVERED, "customer_id": COVERED}, privacy=privacy)
    assert (hits[ROW["conn_id"]]["telephone"], hits[ROW["conn_id"]]["customer_id"]) == (None, None)


@pytest.mark.parametrize("digits", ["6736.10", "19000000000000000000001", "573001234567", "-0.50"])
def test_a_number_stands_in_a_letter_with_its_own_digits(digits: str) -> None:
    row = b'{"conn_id":%s,"telephone":{"a":1},"customer_id":%s}' % (digits.encode(), digits.encode())
    assert b'"customer_id":%s' % digits.encode() in letter_of(row)
    [hit] = hits_of(letters(letter_of(row))).values()
    assert (hit["conn_id"], hit["customer_id"]) == (digits, digits)


@pytest.mark.parametrize(
    "row",
    [
        {"conn_id": 6736.1},
        {"conn_id": "7", "customer_id": 1.2345678901234568e22},
        {"conn_id": "7", "hit": 1e16},
    ],
)
def test_a_number_that_may_have_been_rounded_is_not_told_for_what_was_sent(row: dict[str, Any]) -> None:
    envelope = {"server": "0042", "observed_at": OBSERVED, "reason": "field_type", "pointer": "/telephone", "row": row}
    found = letters(orjson.dumps(envelope))
    assert (found.rows, found.letters, found.cut) == ([], 1, 1)


@pytest.mark.parametrize(
    "row",
    [
        {"conn_id": "a\ud800", "hit": "x"},
        {"conn_id": "a", "telephone": "57\ud800"},
        {"conn_id": "a", "note": "\udfff"},
        {"conn_id": "a", "note": ["[" * 300]},
    ],
)
def test_what_could_not_be_written_is_not_told_for_what_was_sent(row: dict[str, Any]) -> None:
    sent = json.dumps(row).encode().replace(b'["' + b"[" * 300 + b'"]', b"[" * 300 + b"]" * 300)
    found = letters(letter_of(sent))
    assert (found.rows, found.letters, found.cut) == ([], 1, 1)


def test_letters_are_taken_by_their_server_and_their_reason() -> None:
    mine = letter_of(b'{"conn_id":"a","telephone":{"a":1}}')
    others = mine.replace(b"0042", b"0043")
    assert letters(mine, others, reasons=[Reason.FIELD_TYPE]).letters == 1
    assert letters(mine, reasons=[Reason.TOO_LARGE]).letters == 0
    assert letters(mine.replace(b"{", b'{"trimmed":true,', 1)).cut == 1
