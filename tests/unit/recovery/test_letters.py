"""Rows of dead letters that today's reader can read."""

from __future__ import annotations

from typing import Any

from producer.model import Hit
from producer.recovery.letters import Letters, readable
from producer.wolkvox.privacy import Privacy
from producer.wolkvox.reader import RowReader
from tests.unit.wolkvox.calls import ROW, HandClock
from tests.unit.wolkvox.snapshots import BOGOTA

COVERED = "5f" * 32


def read(*rows: Any, privacy: Privacy | None = None, limit: int = 1_000_000) -> dict[str, Hit]:
    reader = RowReader(server="0042", zone=BOGOTA, privacy=privacy)
    found = readable(Letters(list(rows)), reader, server="0042", limit=limit, clock=HandClock())
    assert not found.dead, "they are told already"
    return dict(found.hits)


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
